/** Holds, on one server and on three, of the oldest and the newest version, what appends rely on and what they do not. */
import { JetStreamApiError, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { natsConnector } from "#nats/connection.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { logStreamConfig } from "#nats/streams.ts";
import { appendTo } from "#shared/events/append-to.ts";
import type { Append } from "#shared/events/event-log.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { natsPrograms } from "../setup/nats.ts";
import { type NatsCluster, startNatsCluster } from "../setup/nats-cluster.ts";

const aggregate = { type: "order", id: "a" };
const commit = (commandId: string): Append => ({
  aggregate,
  expectedPosition: 0,
  expectedVersion: 0,
  commandId,
  at: 0,
  events: [{ type: "OrderPlaced", data: {} }],
  trace: {},
});

/** What the server answers to the very same publish: whoever takes 10071 for "another came first" is wrong on some of them. */
const SAME_AGAIN: Record<string, "duplicate" | 10071> = {
  "2.9 R1": "duplicate",
  "2.9 R3": "duplicate",
  "2.15 R1": 10071,
  "2.15 R3": "duplicate",
};

/**
 * In a cluster of these, two appends that come at the same moment with the same expectation may both be taken, unless they
 * expect nothing there (nats-server#4320): there one writer for each aggregate is all that keeps versions apart.
 */
const TAKES_TWO_AT_ONCE = /^2\.9\./;

describe.each(await natsPrograms())("a cluster of NATS $version", (program) => {
  let cluster: NatsCluster;
  let connection: NatsConnection;
  const open: Array<() => unknown> = [];
  beforeAll(async () => {
    cluster = await startNatsCluster(program);
    connection = await connect({ servers: [...cluster.urls] });
  });
  afterAll(async () => {
    for (const close of open) await close();
    await connection?.close();
    await cluster?.dispose();
  });

  describe.each([1, 3])("with %i replicas", (replicas) => {
    let services = 0;
    const newService = async () => {
      const service = `r${replicas}-${++services}`;
      const manager = await jetstreamManager(connection);
      await manager.streams.add({ ...logStreamConfig(service), num_replicas: replicas });
      return service;
    };
    const logOf = (service: string, server = 0) => {
      const url = cluster.urls[server] ?? "";
      const connector = natsConnector({ url, name: "test", clock: systemClock });
      open.push(() => connector.close());
      return jetStreamEventLog({ service, connector, clock: systemClock });
    };

    it("answers the same publish again as that version does, and the log takes it for what it is", async () => {
      const service = await newService();
      const log = logOf(service);
      const written = await log.append(commit("c1"));
      if (!written.ok) throw new Error(written.error.code);
      const again = await jetstream(connection)
        .publish(`log.${service}.order.a`, "[]", {
          msgID: "order.a.c1",
          expect: { lastSubjectSequence: 0 },
        })
        .then(
          ({ duplicate }) => (duplicate ? "duplicate" : "written"),
          (error: unknown) => (error instanceof JetStreamApiError ? error.code : error),
        );
      const minor = program.version.split(".").slice(0, 2).join(".");
      expect([10071, "duplicate"]).toContain(again);
      const known = SAME_AGAIN[`${minor} R${replicas}`];
      if (known !== undefined) expect(again).toBe(known);
      expect(await log.append(commit("c1"))).toEqual({
        ok: true,
        value: { position: written.value.position, duplicate: true },
      });
      expect(await log.read(aggregate)).toHaveLength(1);
    });

    it("lets one of eight appends at once win, through whichever server, and says conflict to the others", async () => {
      const service = await newService();
      const logs = cluster.urls.map((_, server) => logOf(service, server));
      for (const log of logs) await log.lastPosition();
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, n) => logs[n % 3]?.append(commit(`c${n}`))),
      );
      const outcomes = results.map((result) => (result?.ok ? "written" : result?.error.code));
      expect(outcomes.toSorted()).toEqual([...Array(7).fill("conflict"), "written"]);
      expect(await logs[0]?.read(aggregate)).toHaveLength(1);
    });

    it("takes a refused command again at its new place: it is not remembered as written", async () => {
      const service = await newService();
      const logs = cluster.urls.map((_, server) => logOf(service, server));
      const anyhow = async (n: number) => {
        const log = logs[n % 3];
        if (!log) throw new Error("no server");
        const { expectedPosition: _, expectedVersion: __, ...rest } = commit(`c${n}`);
        return appendTo(log, { ...rest, expected: "any" });
      };
      const results = await Promise.all(Array.from({ length: 6 }, (_, n) => anyhow(n)));
      expect(results.map((result) => (result.ok ? "written" : result.error.code))).toEqual(
        Array(6).fill("written"),
      );
      for (const log of logs) {
        const commits = await log.read(aggregate);
        expect(commits.map(({ commandId }) => commandId).toSorted()).toEqual([
          "c0",
          "c1",
          "c2",
          "c3",
          "c4",
          "c5",
        ]);
        if (replicas === 3 && TAKES_TWO_AT_ONCE.test(program.version)) continue;
        expect(commits.map(({ events }) => events[0]?.version)).toEqual([1, 2, 3, 4, 5, 6]);
      }
    });

    it("shows an acknowledged commit at once to who reads through another server", async () => {
      const service = await newService();
      const [writer, ...readers] = cluster.urls.map((_, server) => logOf(service, server));
      let position = 0;
      for (let n = 1; n <= 40; n++) {
        const appended = await writer?.append({ ...commit(`c${n}`), expectedPosition: position });
        if (!appended?.ok) throw new Error(appended?.error.code);
        position = appended.value.position;
        const reader = readers[n % 2];
        expect(await reader?.read(aggregate)).toHaveLength(n);
        expect((await reader?.last(aggregate))?.position).toBe(position);
      }
    });
  });
});
