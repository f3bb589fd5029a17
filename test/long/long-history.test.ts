/** An aggregate of sixty thousand commits on a real server: what a restart's first command waits for. */
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NatsConnector, natsConnector } from "#nats/connection.ts";
import { encodeCommit } from "#nats/envelope.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { logStreamConfig } from "#nats/streams.ts";
import { commitSubject } from "#nats/subjects.ts";
import { type CommandMethods, commandActor } from "#shared/cqrs/command-actor.ts";
import type { DomainEvent } from "#shared/events/event.ts";
import { LIMITS } from "#shared/limits.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { type InProcessActors, inProcessActors } from "#shared/runtime/in-process-actor.ts";
import { stock } from "#workers/inventory/domain.ts";
import { startNats, type TestNats } from "../setup/nats.ts";
import { type TemporaryFolder, temporaryFolder } from "../setup/temporary-folder.ts";

const COMMITS = 60_000;
const WRITTEN_TOGETHER = 500;
const tea = { type: "stock", id: "tea" };

let nats: TestNats;
let folder: TemporaryFolder;
let connector: NatsConnector;

beforeAll(async () => {
  nats = await startNats();
  folder = await temporaryFolder("long-history");
  connector = natsConnector({ url: nats.url, name: "test", clock: systemClock });
  await writeHistory();
});
afterAll(async () => {
  await connector?.close();
  await nats?.dispose();
  await folder?.remove();
});

const eventOf = (n: number): DomainEvent => {
  if (n === 0) return { type: "StockReceived", data: { sku: "tea", quantity: 1_000_000 } };
  const ends = n % 10 !== 0 && n % 2 === 0;
  const orderId = `order-${ends ? n - 1 : n}`;
  return { type: ends ? "StockDeallocated" : "StockAllocated", data: { sku: "tea", orderId, quantity: 1 } };
};

/** Orders come and most of them end, within the last hours, so that each command id is still to be known. */
const writeHistory = async () => {
  const connection = await connect({ servers: nats.url });
  await (await jetstreamManager(connection)).streams.add(logStreamConfig("inventory"));
  const client = jetstream(connection);
  const begin = Date.now() - COMMITS * 100;
  const write = (n: number) => {
    const { payload, headers } = encodeCommit("inventory", {
      aggregate: tea,
      expectedPosition: n,
      expectedVersion: n,
      commandId: `allocate-${n}`,
      at: begin + n * 100,
      events: [eventOf(n)],
      trace: {},
    });
    return client.publish(commitSubject("inventory", tea), payload, { headers, timeout: 30_000 });
  };
  for (let from = 0; from < COMMITS; from += WRITTEN_TOGETHER) {
    await Promise.all(Array.from({ length: WRITTEN_TOGETHER }, (_, n) => write(from + n)));
  }
  await connection.close();
};

/** The Actor in a file of its own; `read` counts the commits that it has asked for. */
const startActor = () => {
  const seen = { read: 0 };
  const log = jetStreamEventLog({ service: "inventory", connector, clock: systemClock });
  const actors: InProcessActors<CommandMethods> = inProcessActors({
    folder: folder.path,
    clock: systemClock,
    timers: { set: (run, ms) => setTimeout(run, ms), clear: (timer) => clearTimeout(timer as never) },
    create: (context) =>
      commandActor({
        context,
        log: {
          ...log,
          async read(ref, options) {
            const commits = await log.read(ref, options);
            seen.read += commits.length;
            return commits;
          },
        },
        aggregates: { stock },
        clock: systemClock,
        random: Math.random,
        sleep,
      }),
  });
  const allocate = (commandId: string, orderId: string) =>
    actors.named("shard-0").execute({
      ...tea,
      commandId,
      command: { type: "AllocateStock", sku: "tea", orderId, quantity: 1 },
    });
  return { allocate, seen, close: () => actors.close() };
};

const timed = async <T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> => {
  const start = performance.now();
  const result = await work();
  return { result, ms: performance.now() - start };
};

const rows = (table: string): number => {
  const database = new DatabaseSync(join(folder.path, "shard-0.sqlite"), { readOnly: true });
  try {
    return Number(database.prepare(`SELECT COUNT(*) AS n FROM ${table}`).get()?.n);
  } finally {
    database.close();
  }
};

test("the first fold is done by commands that are answered in time, the next start reads what came since", async () => {
  const first = startActor();
  const attempts: number[] = [];
  for (let answered = false; !answered; ) {
    const { result, ms } = await timed(() => first.allocate("new-1", "new-1"));
    attempts.push(Math.round(ms));
    expect(ms).toBeLessThan(LIMITS.commandMs + 500);
    if (!result.ok) expect(result.error.code).toBe("unavailable");
    answered = result.ok;
    expect(attempts.length).toBeLessThan(20);
  }
  // A slice that the time cut off is read again.
  expect(first.seen.read).toBe(COMMITS);
  await expect.poll(() => rows("snapshot"), { timeout: 10_000 }).toBe(1);
  await expect.poll(() => rows("remembered_command"), { timeout: 10_000 }).toBeGreaterThan(COMMITS - 2_000);
  first.close();

  const second = startActor();
  const { result, ms } = await timed(() => second.allocate("new-2", "new-2"));
  expect(result).toMatchObject({ ok: true, value: { position: COMMITS + 2, duplicate: false } });
  expect(second.seen.read).toBeLessThanOrEqual(2);
  expect(ms).toBeLessThan(LIMITS.commandMs / 2);
  process.stdout.write(
    `  ${COMMITS} commits: folded in commands of ${attempts.join(", ")} ms; from a snapshot in ${Math.round(ms)} ms\n`,
  );

  for (const n of [1, 777, COMMITS - 1]) {
    expect(await second.allocate(`allocate-${n}`, `order-${n}`)).toMatchObject({
      ok: true,
      value: { position: n + 1, duplicate: true, events: [eventOf(n)] },
    });
  }
  second.close();
});
