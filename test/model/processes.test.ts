/** Holds that a process ends each of its instances, and that each of its commands takes effect once, whatever dies in between. */
import { expect, test } from "vitest";
import { exploreSeeds } from "./choices.ts";
import type { ProcessRun } from "./process-run.ts";
import { PATIENCE_MS } from "./trip-process.ts";
import { live, simulate, start } from "./trip-run.ts";

test("without a fault each trip is booked, or given up and taken back", () =>
  exploreSeeds(40, (choose) => simulate(choose, 0)));

test("whatever dies, is lost or comes twice, each command takes effect once and each instance ends", () =>
  exploreSeeds(120, (choose) => simulate(choose, 12)));

/** One trip whose flight is never booked; a command is refused until it is mended. */
const stuck = async (name: string) => {
  let refuses = true;
  const run = await start({ choose: () => 0, faults: 0 }, ({ does }) => does === name && refuses);
  const patient = { fullFor: 0, hotelMs: 1_000, flightMs: PATIENCE_MS * 3, cancelMs: undefined };
  const lives = live(run, "t1", patient, () => 0);
  await run.time.pass(PATIENCE_MS * 3 + 30_000);
  await lives;
  const mendAndReplay = (id: string) => {
    refuses = false;
    return run.replay("trip", id);
  };
  return { run, mendAndReplay };
};

test("a compensation that is refused is parked with its reason, and once replayed the rest is taken back", async () => {
  const { run, mendAndReplay } = await stuck("CancelFlight");
  const [parked, ...more] = await run.parked();
  expect(more).toEqual([]);
  expect(parked).toMatchObject({
    process: "trip",
    type: "ProcessReacted",
    aggregateId: "t1",
    reason: { code: "not_possible", detail: expect.stringContaining("CancelFlight") },
  });
  expect(await doneFor(run, "t1")).toEqual(["BookHotel", "BookFlight", "NoteGuest", "Apologise"]);
  expect(await mendAndReplay(parked?.id ?? "")).toMatchObject({ ok: true });
  expect((await doneFor(run, "t1")).slice(4)).toEqual(["CancelFlight", "CancelHotel"]);
  expect(await run.parked()).toEqual([]);
});

test("what is decided after a parked command waits behind it: nothing is taken back before it was done", async () => {
  const { run, mendAndReplay } = await stuck("NoteGuest");
  const [first, behind] = await run.parked();
  expect(first?.reason.code).toBe("not_possible");
  expect(behind?.reason.code).toBe("parked_behind");
  expect(await doneFor(run, "t1")).toEqual(["BookHotel", "BookFlight"]);
  await mendAndReplay(first?.id ?? "");
  await run.time.pass(30_000);
  expect((await doneFor(run, "t1")).slice(2)).toEqual([
    "NoteGuest",
    "Apologise",
    "CancelFlight",
    "CancelHotel",
  ]);
});

const doneFor = async (run: ProcessRun, tripId: string): Promise<string[]> =>
  (await run.commits())
    .filter(({ aggregate: { id } }) => id.endsWith(`-${tripId}`))
    .flatMap(({ events }) => events.map(({ data }) => (data as { does: string }).does));
