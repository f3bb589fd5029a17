/** What is appended, as it stands in the log. */
import { rfc3339 } from "../runtime/clock.ts";
import type { Commit, RecordedEvent } from "./event.ts";
import type { Append } from "./event-log.ts";

/** @param position where the log says that it stands */
export const committed = (append: Append, position: number): Commit => ({
  aggregate: append.aggregate,
  position,
  commandId: append.commandId,
  trace: append.trace,
  metadata: { ...append.metadata },
  events: append.events.map(
    (event, index): RecordedEvent => ({
      ...event,
      id: `${append.commandId}/${index}`,
      time: rfc3339(append.at),
      version: append.expectedVersion + index + 1,
    }),
  ),
});
