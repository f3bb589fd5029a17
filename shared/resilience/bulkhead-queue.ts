/** Who waits for a slot, in the order of coming: only data, so that a waiting call whose request is gone holds up nobody. */

export interface BulkheadQueue {
  /** @param now milliseconds; who should have left by then is not counted */
  waiting(now: number): number;
  /** The number of a new place at the end. */
  join(until: number): number;
  /** Those who came before. */
  ahead(ticket: number, now: number): number;
  leave(ticket: number): void;
}

export const bulkheadQueue = (): BulkheadQueue => {
  const places: { ticket: number; until: number }[] = [];
  let issued = 0;
  const waitingBefore = (ticket: number, now: number): number => {
    let count = 0;
    for (const place of places) if (place.ticket < ticket && place.until >= now) count += 1;
    return count;
  };
  const forget = (now: number): void => {
    while (places[0] !== undefined && places[0].until < now) places.shift();
  };
  return {
    waiting(now) {
      if (places.length === 0) return 0;
      forget(now);
      return waitingBefore(Number.POSITIVE_INFINITY, now);
    },
    join(until) {
      issued += 1;
      places.push({ ticket: issued, until });
      return issued;
    },
    ahead(ticket, now) {
      forget(now);
      return waitingBefore(ticket, now);
    },
    leave(ticket) {
      const index = places.findIndex((place) => place.ticket === ticket);
      if (index >= 0) places.splice(index, 1);
    },
  };
};
