/** The requests that an instance has now, by when they began: those whose end nobody tells are forgotten with time. */

export interface InFlight {
  count(): number;
  /** @param now never less than the last */
  began(now: number): void;
  /** The one that began then; where there is none, as when the clock was set, the last one before it. */
  ended(beganAt: number): void;
  forgetBefore(ms: number): void;
}

/** Without allocation once it has grown to what is under way at once. */
export const inFlight = (): InFlight => {
  /** Ascending. */
  const begins: number[] = [];
  return {
    count: () => begins.length,
    began: (now) => void begins.push(now),
    ended(beganAt) {
      let index = begins.length - 1;
      // Most requests are as short as their neighbours, so that the one meant is near the end.
      while (index > 0 && (begins[index] as number) > beganAt) index--;
      for (; index >= 0 && index < begins.length - 1; index++) begins[index] = begins[index + 1] as number;
      begins.pop();
    },
    forgetBefore(ms) {
      let gone = 0;
      while (gone < begins.length && (begins[gone] as number) < ms) gone++;
      if (gone > 0) begins.splice(0, gone);
    },
  };
};
