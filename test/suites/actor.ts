/** What every host of Actors promises, whatever it runs on: seen through a probe Actor. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Actors } from "#shared/runtime/actor.ts";
import { withTrace } from "#shared/telemetry/propagation.ts";
import type { ProbeMethods } from "./actor-probe.ts";

export interface ActorHost {
  readonly probes: Actors<ProbeMethods>;
  /** Lets time pass until the promise settles; real time passes by itself. */
  during<T>(promise: Promise<T>): Promise<T>;
  /** Ends the process and hosts the same Actors in a new one, with what is on disk. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

export const testActor = (runtime: string, start: () => Promise<ActorHost>): void => {
  describe(`Actor: ${runtime}`, () => {
    let host: ActorHost;
    let names = 0;
    beforeAll(async () => {
      host = await start();
    });
    afterAll(() => host?.stop());

    const probe = (name = `probe-${++names}`) => host.probes.named(name);

    it.each(["plain", "orders/1", "orders%2F1", "..", "Größe 🫖", "x".repeat(60)])(
      "knows its name %j",
      async (name) => {
        expect(await probe(name).name(null)).toBe(name);
      },
    );

    it("has a storage of its own for each name, and one for all who call it by the same name", async () => {
      await probe("first").put({ key: "k", value: "1" });
      await probe("second").put({ key: "k", value: "2" });
      expect(await probe("first").entries(null)).toEqual([{ key: "k", value: "1" }]);
      expect(await probe("second").entries(null)).toEqual([{ key: "k", value: "2" }]);
    });

    it("gives back text, numbers, null and bytes as they were written", async () => {
      expect(await probe().values(null)).toEqual({
        text: "Größe 🫖",
        whole: 2 ** 53 - 1,
        real: 0.5,
        absent: null,
        bytes: [1, 0, 255],
      });
    });

    it("writes a transaction whole, or nothing of it when it throws, and throws that on", async () => {
      const actor = probe();
      const entries = [
        { key: "a", value: "1" },
        { key: "b", value: "2" },
      ];
      await expect(actor.putAll({ entries, fail: true })).rejects.toThrow("the transaction fails");
      expect(await actor.entries(null)).toEqual([]);
      await actor.putAll({ entries, fail: false });
      await expect(
        actor.putAll({ entries: [{ key: "c", value: "3" }, ...entries], fail: false }),
      ).rejects.toThrow(/UNIQUE/);
      expect(await actor.entries(null)).toEqual(entries);
    });

    it("takes and gives plain data, copied", async () => {
      const actor = probe();
      const data = { text: "„ü“ 🫖", list: [1, [null, true]], deep: { empty: {} } };
      const echoed = await actor.echo(data);
      expect(echoed).toEqual(data);
      expect(echoed).not.toBe(data);
    });

    it("refuses a method that it does not have, also one that every object has", async () => {
      const actor = probe() as unknown as Record<string, (input: unknown) => Promise<unknown>>;
      for (const method of ["none", "constructor", "toString", "alarm"]) {
        await expect(actor[method]?.(null)).rejects.toThrow(`Cannot call "${method}"`);
      }
    });

    it("passes on what a method throws, and works afterwards", async () => {
      const actor = probe();
      await expect(actor.fail(null)).rejects.toThrow(/^(RangeError: )?the method fails/);
      expect(await actor.echo("still here")).toBe("still here");
    });

    it("goes on with other calls while one waits", async () => {
      const actor = probe();
      expect(await Promise.all([actor.meet(null), actor.meet(null)])).toEqual(["met", "met"]);
    });

    it("works in the trace of its caller", async () => {
      const actor = probe();
      expect(await withTrace({ traceparent: TRACEPARENT }, () => actor.trace(null))).toMatchObject({
        traceparent: expect.stringContaining(TRACEPARENT.split("-")[1] ?? ""),
      });
      expect(await withTrace({}, () => actor.trace(null))).not.toMatchObject({
        traceparent: expect.stringContaining(TRACEPARENT.split("-")[1] ?? ""),
      });
    });

    it("rings its alarm once each time, never early", async () => {
      const actor = probe();
      await actor.ringIn({ ms: 20 });
      const [first] = await host.during(actor.rings({ count: 1 }));
      await actor.ringIn({ ms: 20 });
      const rings = await host.during(actor.rings({ count: 2 }));
      expect(rings).toHaveLength(2);
      expect(rings[0]).toEqual(first);
      for (const { due, at } of rings) expect(at).toBeGreaterThanOrEqual(due);
    });

    it("rings at once when the time has come already", async () => {
      const actor = probe();
      await actor.ringIn({ ms: -1_000 });
      expect(await host.during(actor.rings({ count: 1 }))).toHaveLength(1);
    });

    it.each([
      ["sooner", 3_600_000, 20],
      ["later", 20, 120],
    ])("has one alarm: setting it replaces an earlier one, also by a %s time", async (_, before, after) => {
      const actor = probe();
      await actor.ringIn({ ms: before });
      await actor.ringIn({ ms: after });
      const rings = await host.during(actor.rings({ count: 1 }));
      expect(rings).toHaveLength(1);
      for (const { due, at } of rings) expect(at).toBeGreaterThanOrEqual(due);
    });

    it("does not ring an alarm that was cleared", async () => {
      const cleared = probe();
      const after = probe();
      // Long enough for a busy machine to clear it before it rings.
      await cleared.ringIn({ ms: 300 });
      await cleared.clearAlarm(null);
      await after.ringIn({ ms: 500 });
      await host.during(after.rings({ count: 1 }));
      expect(await cleared.rings({ count: 0 })).toEqual([]);
    });

    it("rings again when the alarm failed", async () => {
      const actor = probe();
      await actor.ringIn({ ms: 0, failures: 1 });
      expect(await host.during(actor.rings({ count: 2 }))).toHaveLength(2);
    });

    it("keeps its storage and its alarm over a restart", async () => {
      const name = "survivor";
      await probe(name).put({ key: "k", value: "1" });
      await probe(name).ringIn({ ms: 300 });
      await host.restart();
      expect(await probe(name).entries(null)).toEqual([{ key: "k", value: "1" }]);
      const rings = await host.during(probe(name).rings({ count: 1 }));
      expect(rings).toHaveLength(1);
      for (const { due, at } of rings) expect(at).toBeGreaterThanOrEqual(due);
    });
  });
};
