/** A projection that catches up on a long log, beside its two halves alone: the raw consumer and the raw statements. */
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { v7 as uuidv7 } from "uuid";
import { GATEWAY } from "#cli/workers.ts";
import { applyStreams } from "#nats/apply-streams.ts";
import { encodeCommit } from "#nats/envelope.ts";
import { commitSubject, logStream } from "#nats/subjects.ts";
import type { Append } from "#shared/events/event-log.ts";
import type { BenchGround, BenchSystem } from "./bench-system.ts";
import { type Figure, median } from "./figure.ts";
import { confirmedOrder, placedOrder } from "./placed-order.ts";

const AIM = 20_000;
const REBUILD_AIM = 30_000;
const BARE = "bench-catch-up";
const ORDERS_WORKER = "skerry-orders";
const WRITES_IN_FLIGHT = 500;
const CATCH_UP_MS = 120_000;
/** Between two looks whether a rebuild is done. */
const LOOK_MS = 20;

const BESIDE = [
  {
    name: BARE,
    like: "bare-catch-up",
    options: { d1Databases: { DB: "bench-catch-up" } },
    migrations: "migrations/orders",
  },
];

export const measureCatchUp = async (ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  const events = quick ? 20_000 : 100_000;
  const rounds = quick ? 1 : 3;
  const nats = await ground.startNats();
  try {
    await applyStreams({ natsUrl: nats.url });
    await writeLog(nats.url, events);
    const seconds: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      const system = await ground.startSystem({ natsUrl: nats.url, beside: BESIDE });
      try {
        seconds.push(await measureRound(system, events));
      } finally {
        await system.close();
      }
    }
    const rate = (take: (round: Round) => number) => events / median(seconds.map(take));
    const ours = rate((round) => round.ours);
    const beside = (name: string, bare: number) => ({
      name,
      unit: "events/s",
      ours,
      bare,
      ratio: ours / bare,
    });
    return [
      { name: `catching up on ${events.toLocaleString("en-US")} events`, unit: "events/s", ours, aim: AIM },
      beside(
        "… beside the raw consumer alone",
        rate((round) => round.consumer),
      ),
      beside(
        "… beside the raw statements alone",
        rate((round) => round.statements),
      ),
      beside(
        "… beside both, one after the other",
        rate((round) => round.consumer + round.statements),
      ),
      {
        name: "rebuilding the same read model on D1 beside the standing one",
        unit: "events/s",
        ours: rate((round) => round.rebuild),
        aim: REBUILD_AIM,
      },
    ];
  } finally {
    await nats.stop();
  }
};

/** Seconds that each took. */
interface Round {
  readonly ours: number;
  readonly consumer: number;
  readonly statements: number;
  readonly rebuild: number;
}

/** Each side starts with its own connection and an empty database; the isolates are as cold for one as for the other. */
const measureRound = async (system: BenchSystem, events: number): Promise<Round> => {
  const bare = await system.url(BARE);
  const consumer = await timed(() => ask(`${bare}/consume?stream=${logStream("orders")}&count=${events}`));
  await ask(`${bare}/prepare?count=${events}`);
  const statements = await timed(() => ask(`${bare}/write`));
  const ours = await timed(async () => catchUp(await system.url(GATEWAY), events));
  const rebuild = await timed(() => rebuilt(system));
  return { ours, consumer, statements, rebuild };
};

/** From asking for it until the copy has taken the standing one's place. */
const rebuilt = async (system: BenchSystem): Promise<void> => {
  const rebuilds = `${await system.url(ORDERS_WORKER)}/orders/v1/projections/orders/rebuilds`;
  const headers = { ...system.operator, "content-type": "application/json" };
  let answer = await fetch(rebuilds, { method: "POST", headers, body: "{}" });
  const end = performance.now() + CATCH_UP_MS;
  while (performance.now() < end) {
    if (!answer.ok) throw new Error(`Rebuilding: answered ${answer.status} ${await answer.text()}`);
    const { id, phase, failure } = (await answer.json()) as { id: string; phase: string; failure?: string };
    if (phase === "done") return;
    if (failure !== undefined) throw new Error(`Rebuilding: "${failure}", expected that it is done`);
    await delay(LOOK_MS);
    answer = await fetch(`${rebuilds}/${id}`, { headers });
  }
  throw new Error(`Rebuilding: expected that within ${CATCH_UP_MS / 1000} s`);
};

const timed = async (work: () => Promise<void>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

const ask = async (url: string): Promise<void> => {
  const answer = await fetch(url);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Asking "${url}": answered ${answer.status} ${text}, expected 200`);
};

/** A query that wants the newest position wakes the projection and is answered as soon as it is there. */
const catchUp = async (gateway: string, position: number): Promise<void> => {
  const end = performance.now() + CATCH_UP_MS;
  while (performance.now() < end) {
    const answer = await fetch(`${gateway}/orders/v1/orders?limit=1`, {
      headers: { "skerry-min-position": `orders=${position}` },
    });
    await answer.body?.cancel();
    if (answer.ok) return;
  }
  throw new Error(`Catching up on ${position} events: expected that within ${CATCH_UP_MS / 1000} s`);
};

/** Half places orders, half confirms them, some way behind; as many commits as events. */
const writeLog = async (natsUrl: string, events: number): Promise<void> => {
  const connection = await connect({ servers: natsUrl });
  try {
    const client = jetstream(connection);
    let left = events / 2;
    const lane = async () => {
      while (left > 0) {
        left -= 1;
        const id = uuidv7();
        const position = await write(client, placedOrder(id));
        await write(client, confirmedOrder(id, position));
      }
    };
    await Promise.all(Array.from({ length: WRITES_IN_FLIGHT }, lane));
  } finally {
    await connection.close();
  }
};

const write = async (client: JetStreamClient, append: Append): Promise<number> => {
  const { payload, headers } = encodeCommit("orders", append);
  const { seq } = await client.publish(commitSubject("orders", append.aggregate), payload, {
    headers,
    timeout: 30_000,
  });
  return seq;
};
