/** A clock for windows and waits: it never goes back, whatever the machine's does. */
import type { Clock } from "../runtime/clock.ts";

/**
 * Milliseconds since it was made. A step back of `clock` counts as no time, so that nothing is held for as long as the step;
 * a step forward counts as time. Kept in a typed array: a number in a closure would be allocated anew at each reading.
 */
export const forwardClock = (clock: Clock): Clock => {
  const times = new Float64Array(2);
  const READ = 0;
  const PASSED = 1;
  times[READ] = clock();
  return () => {
    const read = clock();
    const step = read - (times[READ] as number);
    times[READ] = read;
    if (step > 0) (times[PASSED] as number) += step;
    return times[PASSED] as number;
  };
};
