/** A process that sees its source's events in their newest version, also those that waited here while a newer one came. */
import type { Commit, RecordedEvent } from "../events/event.ts";
import { LogUnavailable } from "../events/event-log.ts";
import type { EventTypes } from "../events/event-types.ts";
import { upcast } from "../events/upcast.ts";
import { err } from "../result.ts";
import type { Process } from "./process.ts";

/**
 * What was parked stands in the Actor's SQLite as it was read then, and a deployment later it is old.
 * An event whose writer is newer is `unavailable`: it waits for a newer reader and is not parked.
 * @param types the source's, all that the process handles among them
 */
export const upcastProcess = (process: Process, types: EventTypes): Process => {
  const handled = new Map(process.handles.map((type) => [type, types[type]]));
  const newest = (event: RecordedEvent): RecordedEvent => {
    const type = handled.get(event.type);
    return type ? upcast(type, event) : event;
  };
  return {
    ...process,
    async handle(event, commit, signal) {
      let current: { readonly event: RecordedEvent; readonly commit: Commit };
      try {
        current = { event: newest(event), commit: { ...commit, events: commit.events.map(newest) } };
      } catch (error) {
        if (error instanceof LogUnavailable) return err({ code: "unavailable", detail: error.message });
        throw error;
      }
      return process.handle(current.event, current.commit, signal);
    },
  };
};
