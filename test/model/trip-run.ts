/** One run of the trip process: four trips with a fate each, and what must hold after, whatever died in between. */
import { expect } from "vitest";
import type { Aggregates } from "#shared/cqrs/command-actor.ts";
import type { ProcessReacted } from "#shared/cqrs/process-manager-events.ts";
import { appendTo } from "#shared/events/append-to.ts";
import type { Commit } from "#shared/events/event.ts";
import type { Choose } from "./choices.ts";
import { type ProcessRun, type ProcessRunOptions, startProcess } from "./process-run.ts";
import { type BookingCommand, booked, PATIENCE_MS, trip, tripProcess } from "./trip-process.ts";

const TRIPS = ["t1", "t2", "t3", "t4"];

type Refuses = (command: BookingCommand) => boolean;

type Fate = {
  /** How many requests for a seat are refused; a later one gets it, should it be sent. */
  readonly fullFor: number;
  /** How long after it was asked the world says so; later than the process is patient, or just then, too. */
  readonly hotelMs: number;
  readonly flightMs: number;
  readonly cancelMs: number | undefined;
};

const DELAYS = [0, 50, 5_000, PATIENCE_MS - 1, PATIENCE_MS, PATIENCE_MS + 1, PATIENCE_MS * 3];

const fateOf = (choose: Choose): Fate => {
  const delay = () => DELAYS[choose(DELAYS.length)] ?? 0;
  return {
    fullFor: choose(3),
    hotelMs: delay(),
    flightMs: delay(),
    cancelMs: choose(4) === 0 ? delay() : undefined,
  };
};

export const start = (options: Pick<ProcessRunOptions, "choose" | "faults" | "scoped">, refuses: Refuses) => {
  const all = [booked("hotel", refuses), booked("flight", refuses), booked("guest", refuses), trip];
  return startProcess({
    ...options,
    manager: tripProcess,
    follows: "world",
    aggregates: Object.fromEntries(all.map((aggregate) => [aggregate.type, aggregate])) as Aggregates,
  });
};

export const simulate = async (choose: Choose, faults: number) => {
  const fates = new Map(TRIPS.map((tripId) => [tripId, fateOf(choose)]));
  const asked = new Map<string, number>();
  const run = await start({ choose, faults }, ({ does, tripId }) => {
    if (does !== "BookFlight") return false;
    const times = (asked.get(tripId) ?? 0) + 1;
    asked.set(tripId, times);
    return times <= (fates.get(tripId)?.fullFor ?? 0);
  });
  const client = [...fates].map(([tripId, fate]) => live(run, tripId, fate, choose));
  const done = Promise.all(client);
  let lived = false;
  void done.then(() => {
    lived = true;
  });
  await run.time.until(() => lived);
  run.heal();
  await run.time.pass(PATIENCE_MS * 4 + 60_000);
  expectConsistent(await run.commits(), fates);
  expect(await run.parked()).toEqual([]);
};

/** What the world and the client do for one trip. */
export const live = async (
  { time, others, execute }: ProcessRun,
  tripId: string,
  fate: Fate,
  choose: Choose,
) => {
  const ask = async (event: "TripAsked" | "TripCancelled") => {
    const request = { type: "trip", id: tripId, command: { event, tripId }, commandId: `${event}-${tripId}` };
    while (!(await execute(request)).ok) await time.sleep(100);
  };
  const tell = async (type: string) => {
    const events = [{ type, data: { tripId } }];
    const commit = { aggregate: { type: "world", id: tripId }, events, at: time.clock(), trace: {} };
    await appendTo(others, { ...commit, commandId: `${type}-${tripId}`, expected: "any" });
  };
  const cancels = async () => {
    if (fate.cancelMs === undefined) return;
    await time.sleep(fate.cancelMs);
    await ask("TripCancelled");
  };
  await time.sleep(choose(3) * 10);
  await ask("TripAsked");
  const cancelled = cancels();
  await time.sleep(fate.hotelMs);
  await tell("HotelBooked");
  await time.sleep(fate.flightMs);
  await tell("FlightBooked");
  await cancelled;
};

const expectConsistent = (commits: readonly Commit[], fates: ReadonlyMap<string, Fate>) => {
  for (const [tripId, fate] of fates) {
    const reactions = commits
      .filter(({ aggregate: { type, id } }) => type === "process-trip" && id === tripId)
      .map(({ events }) => (events[0] as unknown as ProcessReacted).data);
    const ids = reactions.map(({ handled }) => handled);
    expect(new Set(ids).size, `${tripId}: each event is handled once`).toBe(ids.length);

    const ended = reactions.findIndex(({ to }) => to === "booked" || to === "given up");
    expect(ended, `${tripId}: it ends`).toBeGreaterThanOrEqual(0);
    const after = reactions.slice(ended + 1);
    expect(after.flatMap(({ sends, schedules }) => [...sends, ...schedules])).toEqual([]);

    const refused = new Set(reactions.flatMap((reaction) => reaction.refused ?? []));
    if (fate.fullFor === 0) expect([...refused]).toEqual([]);
    expectTimely(reactions);
    const due = reactions
      .flatMap(({ sends }) => sends)
      .filter(({ id, undoes = "" }) => !refused.has(id) && !refused.has(undoes));
    const taken = commits.flatMap(({ aggregate, commandId, events }) =>
      ["hotel", "flight", "guest"].includes(aggregate.type) && aggregate.id.endsWith(`-${tripId}`)
        ? events.map(({ data }) => ({ id: commandId, does: (data as { does: string }).does }))
        : [],
    );
    // The order of their taking effect is that of the log.
    expect(taken, `${tripId}: each command takes effect once, in order`).toEqual(
      due.map(({ id, name }) => ({ id, does: name })),
    );
    expectWhole(
      taken.map(({ does }) => does),
      reactions[ended]?.to ?? "",
      refused.size > 0,
    );
  }
};

/** A timeout that was cancelled or replaced does nothing. */
const expectTimely = (reactions: readonly ProcessReacted["data"][]) => {
  const running = new Set<string>();
  for (const { trigger, handled, cancels, schedules } of reactions) {
    if (trigger.startsWith("timeout ")) expect([...running]).toContain(handled);
    for (const id of cancels) running.delete(id);
    for (const { id } of schedules) running.add(id);
  }
};

/** Both or neither: what was booked of a trip that was given up is cancelled, the newest first. */
const expectWhole = (did: readonly string[], end: string, isRefused: boolean) => {
  const bookings = did.filter((does) => does.startsWith("Book")).map((does) => does.slice("Book".length));
  const cancellations = did
    .filter((does) => does.startsWith("Cancel"))
    .map((does) => does.slice("Cancel".length));
  expect(cancellations).toEqual(end === "booked" ? [] : bookings.toReversed());
  // The world may speak of a flight whose booking is being refused.
  if (end === "booked" && !isRefused) expect(bookings).toEqual(["Hotel", "Flight"]);
};
