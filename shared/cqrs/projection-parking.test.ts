import { describe, expect, it } from "vitest";
import { memoryReadStore } from "#test/fake/memory-read-store.ts";
import { testProjectors } from "#test/fake/projectors.ts";
import type { Commit } from "../events/event.ts";
import type { EventLog } from "../events/event-log.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { LIMITS } from "../limits.ts";
import type { Projection } from "./projection.ts";

/** Counts the events of each aggregate, and tells their versions in the order of applying; `broken` cannot be applied. */
const counts = (broken: () => boolean): Projection => ({
  name: "counts",
  tables: ["counts", "seen"],
  onFailure: "park",
  changes(commits) {
    if (broken() && commits.some(isPoison)) throw new Error("no such column");
    return [
      {
        change: "add",
        table: "counts",
        key: ["id"],
        rows: [...new Set(commits.map(({ aggregate }) => aggregate.id))].map((id) => ({
          id,
          events: commits.filter(({ aggregate }) => aggregate.id === id).length,
        })),
      },
      {
        change: "insert",
        table: "seen",
        key: ["position"],
        rows: commits.map(({ position, aggregate, events }) => ({
          position,
          is: `${aggregate.id}${events[0]?.version}`,
        })),
      },
    ];
  },
});

const isPoison = ({ events }: Commit) => events.some(({ type }) => type === "Poison");

const write = async (log: EventLog, id: string, type = "Counted") => {
  const own = await log.read({ type: "number", id });
  const last = await log.lastPosition();
  await log.append({
    aggregate: { type: "number", id },
    expectedPosition: own.at(-1)?.position ?? 0,
    expectedVersion: own.length,
    commandId: `c${last + 1}`,
    at: 0,
    events: [{ type, data: {} }],
    trace: {},
  });
};

const PAGE = { limit: 100 };

const setUp = async (projection: (broken: () => boolean) => Projection = counts) => {
  let broken = true;
  const log = memoryEventLog();
  const memory = memoryReadStore("counts", "seen");
  const projectors = testProjectors({ projection: projection(() => broken), log, store: memory.store });
  for (const id of ["a", "b"]) await write(log, id);
  await write(log, "a", "Poison");
  for (const id of ["b", "a", "c"]) await write(log, id);
  await projectors.projection.wake({});
  await projectors.time.pass(5_000);
  const seen = () => memory.rows("seen").map(({ is }) => is);
  const mend = () => {
    broken = false;
  };
  return { log, memory, projectors, seen, mend };
};

describe("a commit that cannot be applied", () => {
  it("is parked with the reason, and holds up nothing but later commits of its aggregate", async () => {
    const { projectors, seen } = await setUp();
    expect(seen()).toEqual(["a1", "b1", "b2", "c1"]);
    expect(await projectors.projection.wake({})).toEqual({ projection: "counts", position: 6, parked: 2 });
    expect(await projectors.projection.parked(PAGE)).toMatchObject([
      {
        id: "c3/0",
        projection: "counts",
        position: 3,
        aggregateId: "a",
        type: "Poison",
        reason: { code: "not_applied", detail: "no such column" },
        attempts: LIMITS.projectionAttempts,
      },
      { id: "c5/0", position: 5, reason: { code: "parked_behind" }, attempts: 0 },
    ]);
  });

  it("is found in a large batch within few attempts, and all others of the batch are applied", async () => {
    const log = memoryEventLog();
    const memory = memoryReadStore("counts", "seen");
    for (let n = 0; n < 400; n++) await write(log, `n${n}`, n === 123 ? "Poison" : "Counted");
    let attempts = 0;
    memory.around = (method, call) => {
      if (method === "apply") attempts++;
      return call();
    };
    const projectors = testProjectors({ projection: counts(() => true), log, store: memory.store });
    await projectors.projection.wake({});
    await projectors.time.pass(5_000);
    expect(memory.rows("seen")).toHaveLength(399);
    expect(attempts).toBeLessThan(20);
  });

  it("stops a projection that does not park, with its position and event told, and goes on once mended", async () => {
    const { projectors, seen, mend } = await setUp((broken) => ({ ...counts(broken), onFailure: "stop" }));
    expect(seen()).toEqual(["a1", "b1"]);
    expect(await projectors.projection.wake({})).toEqual({
      projection: "counts",
      position: 2,
      failure: 'Applying the event "c3/0" at position 3: no such column',
      stoppedAt: { position: 3, eventId: "c3/0" },
    });
    mend();
    await projectors.time.pass(10_000);
    expect(seen()).toEqual(["a1", "b1", "a2", "b2", "a3", "c1"]);
    expect(await projectors.projection.wake({})).toEqual({ projection: "counts", position: 6 });
  });

  it("is not to blame for a database that is away: nothing is parked", async () => {
    const { log, memory, projectors, seen } = await setUp();
    memory.around = (method, call) =>
      method === "apply" ? Promise.reject(new Error("database is away")) : call();
    await write(log, "d");
    await projectors.time.pass(10_000);
    expect(await projectors.projection.wake({})).toMatchObject({ parked: 2, failure: "database is away" });
    memory.around = (_, call) => call();
    await projectors.time.pass(10_000);
    expect(seen()).toEqual(["a1", "b1", "b2", "c1", "d1"]);
  });
});

describe("replaying a parked commit", () => {
  it("applies it and what waited behind it, in order, and what comes later goes on by itself", async () => {
    const { log, projectors, seen, mend } = await setUp();
    const { projection, time } = projectors;
    expect(await projection.replay({ id: "c3/0" })).toMatchObject({
      error: { code: "replay_failed", detail: expect.stringContaining("no such column") },
    });
    expect(await projection.replay({ id: "c5/0" })).toMatchObject({
      error: { code: "replay_failed", detail: expect.stringContaining('"c3/0" comes first') },
    });
    mend();
    expect(await projection.replay({ id: "c3/0" })).toEqual({ ok: true, value: { id: "c3/0" } });
    expect(await projection.parked(PAGE)).toEqual([]);
    await write(log, "a");
    await time.pass(1_000);
    expect(seen().filter((is) => `${is}`.startsWith("a"))).toEqual(["a1", "a2", "a3", "a4"]);
    expect(await projection.replay({ id: "c3/0" })).toMatchObject({ error: { code: "not_found" } });
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    "changes the rows once, also when the process dies at step %i of it",
    async (cut) => {
      const { memory, projectors, mend } = await setUp();
      mend();
      let calls = 0;
      memory.around = async (_, call) => {
        if (calls++ === cut) projectors.die();
        const answer = await call();
        if (calls++ === cut) projectors.die();
        return answer;
      };
      void projectors.projection.replay({ id: "c3/0" });
      await projectors.time.settle();
      memory.around = (_, call) => call();
      const { projection, time } = projectors.successor();
      await projection.wake({});
      await time.pass(1_000);
      for (const { id } of await projection.parked(PAGE)) await projection.replay({ id });
      expect(await projection.parked(PAGE)).toEqual([]);
      expect(memory.rows("counts")).toEqual([
        { id: "a", events: 3 },
        { id: "b", events: 2 },
        { id: "c", events: 1 },
      ]);
    },
  );

  it("leaves what waited behind it parked for its own reason, when that fails in its turn", async () => {
    const { log, projectors } = await setUp();
    const { projection, time } = projectors;
    await write(log, "a", "Poison");
    await time.pass(1_000);
    // The first is given up, "a3" goes on, and the second is none that only waits any more.
    await projection.drop({ id: "c3/0", reason: "settled by hand" });
    expect(await projection.parked(PAGE)).toMatchObject([
      { id: "c7/0", reason: { code: "not_applied", detail: "no such column" }, attempts: 1 },
    ]);
  });

  it("comes to nothing when a rebuild has the commit since, and the replay comes late", async () => {
    const { memory, projectors, mend } = await setUp();
    const { projection, time } = projectors;
    mend();
    const late: (() => Promise<unknown>)[] = [];
    memory.around = async (method, call) => {
      if (method !== "apply") return call();
      late.push(call);
      throw new Error("no answer");
    };
    expect(await projection.replay({ id: "c3/0" })).toMatchObject({ ok: false });
    memory.around = (_, call) => call();
    await projection.rebuild({ keep: false });
    await time.pass(10_000);
    for (const each of late) expect(await each()).toBe("moved");
    expect(late).toHaveLength(1);
    expect(await projection.parked(PAGE)).toEqual([]);
    expect(memory.rows("counts")).toContainEqual({ id: "a", events: 3 });
  });

  it("is void after a rebuild, which parks what it cannot apply for itself", async () => {
    const { memory, projectors, mend } = await setUp();
    await projectors.projection.rebuild({ keep: false });
    await projectors.time.pass(5_000);
    expect((await projectors.projection.parked(PAGE)).map(({ id }) => id)).toEqual(["c3/0", "c5/0"]);
    mend();
    await projectors.projection.rebuild({ keep: false });
    await projectors.time.pass(5_000);
    expect(await projectors.projection.parked(PAGE)).toEqual([]);
    expect(memory.rows("counts")).toContainEqual({ id: "a", events: 3 });
  });
});

describe("what is parked when a backup of the rows is restored", () => {
  it("waits as before, and holds up nothing that was before it", async () => {
    const { log, projectors } = await setUp();
    const restored = memoryReadStore("counts", "seen");
    projectors.die();
    const { projection, time } = projectors.successor(undefined, { log, store: restored.store });
    await projection.wake({});
    await time.pass(5_000);
    expect(restored.rows("seen").map(({ is }) => is)).toEqual(["a1", "b1", "b2", "c1"]);
    expect((await projection.parked(PAGE)).map(({ id }) => id)).toEqual(["c3/0", "c5/0"]);
  });
});

describe("dropping a parked commit", () => {
  const reason = "settled by hand";

  it("gives up that one alone: what waited behind it goes on, and so does what comes later", async () => {
    const { log, projectors, seen } = await setUp();
    const { projection, time } = projectors;
    expect(await projection.drop({ id: "c3/0", reason })).toEqual({ ok: true, value: { id: "c3/0" } });
    await write(log, "a");
    await time.pass(1_000);
    expect(await projection.parked(PAGE)).toEqual([]);
    expect(seen().filter((is) => `${is}`.startsWith("a"))).toEqual(["a1", "a3", "a4"]);
    expect(await projection.drop({ id: "c3/0", reason })).toMatchObject({ error: { code: "not_found" } });
  });

  it("gives up one in the middle without touching the first, which can be replayed", async () => {
    const { projectors, seen, mend } = await setUp();
    expect(await projectors.projection.drop({ id: "c5/0", reason })).toMatchObject({ ok: true });
    mend();
    await projectors.projection.replay({ id: "c3/0" });
    expect(seen().filter((is) => `${is}`.startsWith("a"))).toEqual(["a1", "a2"]);
  });

  it("is refused once its replay was made, though nobody heard of that, and nothing behind it is lost", async () => {
    const { memory, projectors, seen, mend } = await setUp();
    const { projection } = projectors;
    mend();
    memory.around = async (method, call) => {
      const answer = await call();
      if (method === "apply") throw new Error("no answer");
      return answer;
    };
    expect(await projection.replay({ id: "c3/0" })).toMatchObject({ ok: false });
    memory.around = (_, call) => call();
    expect(await projection.drop({ id: "c3/0", reason })).toMatchObject({ error: { code: "not_found" } });
    expect(await projection.drop({ id: "c5/0", reason })).toMatchObject({ ok: true });
    expect(seen().filter((is) => `${is}`.startsWith("a"))).toEqual(["a1", "a2"]);
  });

  it.each([2, 4])(
    "is refused before the projection is past it and what waits behind it, at %i",
    async (at) => {
      const { memory, projectors } = await setUp();
      memory.checkpoints.set("counts", at);
      expect(await projectors.projection.drop({ id: "c3/0", reason })).toMatchObject({
        error: { code: "unavailable", detail: expect.stringContaining("not past it yet") },
      });
      expect(await projectors.projection.parked(PAGE)).toHaveLength(2);
    },
  );

  it("is refused while what the rows are of changes", async () => {
    const { memory, projectors } = await setUp();
    memory.checkpoints.set("counts!build", -(128 * 2 ** 20 + 64));
    expect(await projectors.projection.drop({ id: "c3/0", reason })).toMatchObject({
      error: { code: "unavailable", detail: expect.stringContaining("being rebuilt") },
    });
  });

  it("finds it in whichever shard it is parked, and shows it whole", async () => {
    const { projectors, seen } = await setUp((broken) => ({ ...counts(broken), shards: 3 }));
    const { projection } = projectors;
    expect(await projection.parkedEvent({ id: "c3/0" })).toMatchObject({
      id: "c3/0",
      key: "number/a",
      event: { id: "c3/0", type: "Poison" },
      metadata: {},
    });
    expect(await projection.parkedEvent({ id: "c4/0" })).toBeUndefined();
    expect(await projection.drop({ id: "c3/0", reason })).toMatchObject({ ok: true });
    expect(await projection.drop({ id: "c3/0", reason })).toMatchObject({ error: { code: "not_found" } });
    expect(seen().filter((is) => `${is}`.startsWith("a"))).toEqual(["a1", "a3"]);
  });
});

describe("an attempt without an answer", () => {
  /** Before the register of parking is counted up, and before the checkpoint passes what is parked. */
  it.each([5, 6])(
    "is made once together with its replay, when it comes late before call %i",
    async (latest) => {
      const { log, memory, projectors, mend } = await setUp();
      const { projection, time } = projectors;
      mend();
      const late: (() => Promise<unknown>)[] = [];
      let calls = 0;
      memory.around = async (method, call) => {
        if (method !== "apply") return call();
        calls++;
        if (calls === latest) for (const each of late) await each();
        // The second asks whether the store is away.
        if (calls > LIMITS.projectionAttempts + 1 || calls === 2) return call();
        late.push(call);
        throw new Error("no answer");
      };
      await write(log, "d");
      await time.pass(10_000);
      expect(late).toHaveLength(LIMITS.projectionAttempts);
      const parked = (await projection.parked(PAGE)).filter(({ aggregateId }) => aggregateId === "d");
      expect(parked).toHaveLength(latest === 5 ? 0 : 1);
      for (const { id } of parked) await projection.replay({ id });
      expect(memory.rows("counts")).toContainEqual({ id: "d", events: 1 });
    },
  );
});
