/** Virtual time: what is to happen, in order of its time, and of its telling where times are equal. */

export interface EventQueue {
  /** Milliseconds since the beginning. */
  now(): number;
  at(ms: number, happen: () => void): void;
  /** Lets time pass up to `untilMs`; what is due later stays. */
  run(untilMs: number): void;
}

interface Event {
  readonly ms: number;
  readonly number: number;
  readonly happen: () => void;
}

/** A binary heap: an array that is sorted at each event takes minutes. */
export const eventQueue = (): EventQueue => {
  const heap: Event[] = [];
  let now = 0;
  let told = 0;

  const isBefore = (a: Event, b: Event) => a.ms < b.ms || (a.ms === b.ms && a.number < b.number);
  const swap = (a: number, b: number) => {
    [heap[a], heap[b]] = [heap[b] as Event, heap[a] as Event];
  };
  const rise = (index: number) => {
    for (let at = index; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[at] as Event, heap[parent] as Event)) return;
      swap(at, parent);
      at = parent;
    }
  };
  const sink = () => {
    for (let at = 0; ; ) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && isBefore(heap[child] as Event, heap[first] as Event)) first = child;
      if (first === at) return;
      swap(at, first);
      at = first;
    }
  };
  const take = (): Event | undefined => {
    if (heap.length > 1) swap(0, heap.length - 1);
    const event = heap.pop();
    sink();
    return event;
  };

  return {
    now: () => now,
    at(ms, happen) {
      heap.push({ ms: Math.max(ms, now), number: told++, happen });
      rise(heap.length - 1);
    },
    run(untilMs) {
      while (heap[0] && heap[0].ms <= untilMs) {
        const event = take() as Event;
        now = event.ms;
        event.happen();
      }
      now = untilMs;
    },
  };
};
