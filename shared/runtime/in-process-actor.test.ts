import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { virtualTime } from "#test/fake/virtual-time.ts";
import type { ActorContext } from "./actor.ts";
import { inProcessActors } from "./in-process-actor.ts";

const DAY_MS = 86_400_000;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** One Actor whose alarm calls `ring`; `delays` are what its timers were set to. */
const setUp = (ring: (context: ActorContext) => Promise<void>) => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-actor-"));
  folders.push(folder);
  const time = virtualTime();
  const delays: number[] = [];
  const actors = inProcessActors({
    folder,
    clock: time.clock,
    create: (context) => ({
      methods: { ringIn: (ms: number) => context.alarm.set(time.clock() + ms) },
      alarm: () => ring(context),
    }),
    timers: {
      set(run, ms) {
        delays.push(ms);
        const cleared = new AbortController();
        time.sleep(ms, cleared.signal).then(run, () => undefined);
        return cleared;
      },
      clear: (timer) => (timer as AbortController | undefined)?.abort(),
    },
  });
  return { actors, folder, time, delays, ringIn: (ms: number) => actors.named("one").ringIn(ms) };
};

describe("an in-process Actor's alarm", () => {
  it("may be further away than one timer reaches", async () => {
    let rings = 0;
    const { ringIn, time, delays, actors } = setUp(async () => void rings++);
    await ringIn(60 * DAY_MS);
    await time.pass(60 * DAY_MS - 1);
    expect(rings).toBe(0);
    await time.pass(1);
    expect(rings).toBe(1);
    expect(Math.max(...delays)).toBeLessThan(2 ** 31);
    actors.close();
  });

  it("is set anew from within without ringing twice at once", async () => {
    let atWork = 0;
    let rings = 0;
    const { ringIn, time, actors } = setUp(async ({ alarm }) => {
      expect(++atWork).toBe(1);
      if (++rings < 3) await alarm.set(time.clock());
      await time.sleep(10);
      atWork--;
    });
    await ringIn(0);
    await time.pass(100);
    expect(rings).toBe(3);
    actors.close();
  });

  it("that cannot note in its file that it rings does so when it can again", async () => {
    let rings = 0;
    const { ringIn, folder, time, actors } = setUp(async () => void rings++);
    await ringIn(10);
    const other = new DatabaseSync(join(folder, "one.sqlite"));
    other.exec("BEGIN IMMEDIATE");
    await time.pass(1_000);
    expect(rings).toBe(0);
    other.exec("COMMIT");
    other.close();
    await time.pass(10_000);
    expect(rings).toBe(1);
    actors.close();
  });

  it("that is at work while its host closes rings again in the next one only", async () => {
    let rings = 0;
    const { ringIn, time, actors } = setUp(async () => {
      rings++;
      await time.sleep(10);
    });
    await ringIn(0);
    await time.settle();
    actors.close();
    await time.pass(DAY_MS);
    expect(rings).toBe(1);
    actors.named("one");
    await time.pass(DAY_MS);
    expect(rings).toBe(2);
    actors.close();
  });
});
