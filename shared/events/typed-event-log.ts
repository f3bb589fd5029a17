/** An EventLog whose writers cannot err and whose readers see every event in its newest version. */
import { type Commit, type RecordedEvent, type WrittenEvent, withEvents } from "./event.ts";
import { type EventLog, LogUnavailable } from "./event-log.ts";
import { type EventTypes, newestVersion } from "./event-types.ts";
import { upcast } from "./upcast.ts";

/**
 * What is appended is checked against the newest schema of its type and marked with its version; what is read comes upcast
 * to it, unchecked. A commit that cannot be read here is never passed over: reads fail at it, and a tail after all that
 * stands before it, with LogUnavailable when its writer was newer.
 * Appending an event that no schema takes throws: a defect, and nothing is written.
 * @param options.only types that the reader wants; others pass by as they stand, known or not. All when absent.
 */
export const typedEventLog = (
  log: EventLog,
  types: EventTypes,
  { only }: { readonly only?: readonly string[] } = {},
): EventLog => {
  // Not the object itself: an event may be called "constructor".
  const known = new Map(Object.entries(types));
  const missing = only?.find((type) => !known.has(type));
  if (missing !== undefined) {
    throw new Error(`Cannot read events "${missing}": expected one of ${[...known.keys()].join(", ")}`);
  }
  const wanted = only && new Set(only);

  const checked = (event: WrittenEvent): WrittenEvent => {
    const { type, data } = event;
    const declared = known.get(type);
    const newest = declared?.versions.at(-1);
    if (!declared || !newest)
      throw new Error(`Cannot write an event "${type}": expected one of ${[...known.keys()].join(", ")}`);
    const parsed = newest.schema.safeParse(data);
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => `"${path.join(".")}" ${message}`);
      throw new Error(`Cannot write an event "${type}" that its schema refuses: ${faults.join("; ")}`);
    }
    const eventVersion = newestVersion(declared);
    return eventVersion === 1 ? { type, data } : { type, data, eventVersion };
  };

  const newestOf = (event: RecordedEvent, { position }: Commit): RecordedEvent => {
    if (wanted && !wanted.has(event.type)) return event;
    const declared = known.get(event.type);
    if (declared) return upcast(declared, event);
    throw new LogUnavailable(
      `Cannot read the event at position ${position}: its type "${event.type}" is not known here; its writer is newer than its reader`,
    );
  };

  /** The same object unless one of its events has an old version. */
  const newest = (commit: Commit): Commit => {
    const events = commit.events.map((event) => newestOf(event, commit));
    return events.some((event, index) => event !== commit.events[index])
      ? withEvents(commit, events)
      : commit;
  };

  return {
    ...log,
    append: async (commit, until) => log.append({ ...commit, events: commit.events.map(checked) }, until),
    read: async (aggregate, options) => (await log.read(aggregate, options)).map(newest),
    async *tail(options) {
      for await (const commits of log.tail(options)) yield* untilUnreadable(commits, newest);
    },
  };
};

/** One batch, or what of it stands before a commit that cannot be read. @throws what reading that one throws */
function* untilUnreadable(
  commits: readonly Commit[],
  newest: (commit: Commit) => Commit,
): Generator<readonly Commit[]> {
  const readable: Commit[] = [];
  for (const commit of commits) {
    try {
      readable.push(newest(commit));
    } catch (unreadable) {
      if (readable.length > 0) yield readable;
      throw unreadable;
    }
  }
  yield readable;
}
