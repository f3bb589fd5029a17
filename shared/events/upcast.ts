/** Brings an event that was written in an old version to the newest that is known here. */
import type { WrittenEvent } from "./event.ts";
import { LogUnavailable } from "./event-log.ts";
import { type EventType, newestVersion } from "./event-types.ts";

/**
 * The event in its newest version, marked with it; the same object when it is that already. Nothing is checked: what stands
 * in a log was when it was written.
 * @throws LogUnavailable for a version that is not known here: its writer is newer, and guessing would misread it
 * @throws Error when an upcaster fails
 */
export const upcast = <Event extends WrittenEvent>(type: EventType, event: Event): Event => {
  const newest = newestVersion(type);
  const written = event.eventVersion ?? 1;
  if (written === newest) return event;
  if (!(Number.isInteger(written) && written >= 1 && written < newest)) {
    throw new LogUnavailable(
      `Cannot read an event "${event.type}" of version "${written}": expected 1 to ${newest}; its writer is newer than its reader`,
    );
  }
  return { ...event, data: throughVersions(type, event, written), eventVersion: newest };
};

const throughVersions = ({ versions }: EventType, event: WrittenEvent, written: number): object => {
  let { data } = event;
  for (let version = written + 1; version <= versions.length; version++) {
    const step = versions[version - 1]?.upcast;
    if (!step) throw new Error(`Cannot read "${event.type}": its version ${version} has no upcaster`);
    try {
      data = step(data);
    } catch (cause) {
      throw new Error(`Cannot bring "${event.type}" from version ${version - 1} to ${version}`, { cause });
    }
  }
  return data;
};
