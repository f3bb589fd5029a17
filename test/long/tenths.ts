/** Holds long work's last tenth against its first: the time that each took, and what each left in memory. */
import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";

const TENTHS = 10;
/** Others use the machine meanwhile, and an index of ten times the rows is deeper; what grew with the log would be ten times slower. */
export const SLOWER_MOST = 4;
/** What nobody holds is collected before memory is measured; tenths that stayed would make it several times as much. */
const HEAP_RATIO_MOST = 1.5;

export interface Tenths {
  /** Notes the tenths that were through with this part. */
  reached(part: number): void;
  /** Asserts that the last tenth took no more than the first, within bounds, and says so. */
  expectFlat(what: string): void;
}

interface Mark {
  readonly ms: number;
  readonly heapBytes: number;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const heapBytes = (): number => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/**
 * The first tenth begins now.
 * @param options.whole where the last tenth ends, in what `reached` is told
 * @param options.events that all of it has
 */
export const tenthsOf = ({ whole, events }: { whole: number; events: number }): Tenths => {
  const marks: Mark[] = [];
  let begun = performance.now();
  return {
    reached(part) {
      while (marks.length < TENTHS && part >= (whole * (marks.length + 1)) / TENTHS) {
        marks.push({ ms: performance.now() - begun, heapBytes: heapBytes() });
        begun = performance.now();
      }
    },
    expectFlat(what) {
      expect(marks).toHaveLength(TENTHS);
      const [first, last] = [marks[0], marks[TENTHS - 1]] as [Mark, Mark];
      const all = perSecond(
        events,
        marks.reduce((sum, { ms }) => sum + ms, 0),
      );
      const [slow, fast] = [first, last].map(({ ms }) => perSecond(events / TENTHS, ms));
      say(`${what}: ${all} events/s, first tenth ${slow}, last tenth ${fast}`);
      say(
        `  heap ${megabytes(first.heapBytes)} after the first tenth, ${megabytes(last.heapBytes)} after the last`,
      );
      expect(last.ms / first.ms).toBeLessThan(SLOWER_MOST);
      expect(last.heapBytes / first.heapBytes).toBeLessThan(HEAP_RATIO_MOST);
    },
  };
};

const perSecond = (events: number, ms: number): string =>
  Math.round((events * 1_000) / ms).toLocaleString("en-US");

export const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`;

/** A line of the test's own. */
export const say = (line: string): void => {
  process.stdout.write(`  ${line}\n`);
};
