import { expect, it } from "vitest";
import { type LaneWork, runInLanes } from "./lanes.ts";

async function* stream(work: LaneWork[]): AsyncGenerator<LaneWork> {
  yield* work;
}
const settled = Promise.resolve();

it("never has more under way than allowed, and does all of it", async () => {
  let underWay = 0;
  let most = 0;
  let done = 0;
  const work = Array.from(
    { length: 100 },
    (_, at): LaneWork => ({
      lane: at % 3 === 0 ? "x" : undefined,
      run: async () => {
        most = Math.max(most, ++underWay);
        return {
          settled: new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
            underWay -= 1;
            done += 1;
          }),
        };
      },
    }),
  );
  await runInLanes(stream(work), 4);
  expect({ most, done }).toEqual({ most: 4, done: 100 });
});

it("starts a lane's next when the one before is under way, not when it is settled", async () => {
  const events: string[] = [];
  const first = Promise.withResolvers<void>();
  const lane = "customer";
  await runInLanes(
    stream([
      {
        lane,
        run: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          events.push("first placed");
          return { settled: first.promise };
        },
      },
      {
        lane,
        run: async () => {
          events.push("second placed");
          first.resolve();
          return { settled };
        },
      },
    ]),
    2,
  );
  expect(events).toEqual(["first placed", "second placed"]);
});

it("rejects with the first defect after what had started has settled", async () => {
  let others = 0;
  const later = new Promise<void>((resolve) => setImmediate(resolve));
  const work: LaneWork[] = [
    { lane: undefined, run: async () => ({ settled: later.then(() => void others++) }) },
    { lane: undefined, run: () => Promise.reject(new Error("a defect")) },
  ];
  await expect(runInLanes(stream(work), 2)).rejects.toThrow("a defect");
  expect(others).toBe(1);
});

it("rejects with what the stream threw after the rest has settled", async () => {
  let done = 0;
  async function* broken(): AsyncGenerator<LaneWork> {
    yield { lane: undefined, run: async () => ({ settled: settled.then(() => void done++) }) };
    throw new Error("unexpected end of file");
  }
  await expect(runInLanes(broken(), 1)).rejects.toThrow("unexpected end of file");
  expect(done).toBe(1);
});
