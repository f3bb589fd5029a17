/** What an isolate holds of the control plane's knowledge, and which answers may replace it. */
import type { ServiceEntry } from "../registry/instance.ts";
import type { Changes } from "./changes.ts";

/** What stood when a look began: by it its answer is judged. */
export interface Ticket {
  readonly generation: number;
  readonly taken: number;
  /** What the look asks from. */
  readonly from: number;
}

export interface Holding {
  /** Of the newest that was taken; 0 before. */
  epoch(): number;
  /** What a look asks from: 0 while only a snapshot was taken, whose parts may be of different age. */
  askFrom(): number;
  /** Whether anything was taken, be it the answer that there is nothing. */
  loaded(): boolean;
  entry(service: string): ServiceEntry | undefined;
  entries(): Iterable<ServiceEntry>;
  begin(): Ticket;
  /** Takes a look's answer unless a newer one came first; undefined is the answer that nothing is new. */
  take(changes: Changes | undefined, ticket: Ticket): boolean;
  /** Takes a snapshot, where nothing else was taken. */
  takeSnapshot(changes: Changes): boolean;
}

/**
 * Answers may come late and out of order: one is taken when its epoch is newer. A whole one of an older epoch tells that the
 * control plane began anew, but only when nothing was taken since it was asked for: else it is merely late. So it is with
 * services at the epoch that is held: they go ahead of a configuration that the control plane cannot give out.
 */
export const holding = (): Holding => {
  const services = new Map<string, ServiceEntry>();
  let epoch = 0;
  let loaded = false;
  let fromLook = false;
  let taken = 0;
  /** Counts how often the control plane began anew: what was asked before then is of no use. */
  let generation = 0;

  const replace = (changes: Changes, whole: boolean): void => {
    if (whole) services.clear();
    for (const entry of changes.services) {
      if (entry.instances.length > 0) services.set(entry.service, entry);
      else services.delete(entry.service);
    }
    epoch = changes.epoch;
    loaded = true;
    taken++;
  };

  const mayTake = (changes: Changes, whole: boolean, ticket: Ticket): boolean => {
    if (ticket.generation !== generation) return false;
    if (changes.epoch > epoch) return true;
    if (changes.epoch === epoch) return whole || ticket.taken === taken;
    return whole && ticket.taken === taken;
  };

  const askFrom = () => (fromLook ? epoch : 0);

  return {
    epoch: () => epoch,
    askFrom,
    loaded: () => loaded,
    entry: (service) => services.get(service),
    entries: () => services.values(),
    begin: () => ({ generation, taken, from: askFrom() }),
    take(changes, ticket) {
      if (!changes) {
        loaded = true;
        return false;
      }
      // What changed since the beginning is everything.
      const whole = changes.whole || ticket.from === 0;
      if (!mayTake(changes, whole, ticket)) return false;
      if (changes.epoch < epoch) generation++;
      replace(changes, whole);
      fromLook = true;
      return true;
    },
    takeSnapshot(changes) {
      if (loaded) return false;
      replace(changes, true);
      return true;
    },
  };
};
