/** Time for windows and waits: it never goes back, whatever the machine's clock does. */
import type { Clock } from "../runtime/clock.ts";

/**
 * From readings of a clock to milliseconds since the first. A step back counts as no time, so that nothing is held for as
 * long as the step; a step forward counts as time. Kept in a typed array: a number in a closure would be allocated anew at
 * each reading.
 */
export const forwardTime = (first: number): ((reading: number) => number) => {
  const times = new Float64Array(2);
  const READ = 0;
  const PASSED = 1;
  times[READ] = first;
  return (reading) => {
    const step = reading - (times[READ] as number);
    times[READ] = reading;
    if (step > 0) (times[PASSED] as number) += step;
    return times[PASSED] as number;
  };
};

/** The same as a clock. */
export const forwardClock = (clock: Clock): Clock => {
  const passed = forwardTime(clock());
  return () => passed(clock());
};
