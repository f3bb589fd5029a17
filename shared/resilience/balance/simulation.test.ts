import { expect, test } from "vitest";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import type { Random } from "../../runtime/clock.ts";
import type { Balanced, Balancer } from "./balancer.ts";
import { type InstanceLoads, instanceLoads } from "./instance-loads.ts";
import { powerOfTwo } from "./power-of-two.ts";
import { weightedRoundRobin } from "./weighted-round-robin.ts";

/** mulberry32: the same requests in every run. */
const REQUESTS = 20_000;
const PER_SECOND = 500;

interface Server {
  readonly target: Balanced;
  readonly meanMs: number;
  /** When each of its workers is free again. */
  readonly freeAt: number[];
  answered: number;
}

type Make = (loads: InstanceLoads<Balanced>, random: Random) => Balancer<Balanced>;

/** Requests come at random moments, wait for one of sixteen workers of their instance, and take a random time there. */
const simulate = (make: Make, meansMs: readonly number[]) => {
  const random = seededRandom(7);
  const exponential = (mean: number) => -Math.log(1 - random()) * mean;
  const servers = meansMs.map((meanMs, index): Server => {
    return {
      target: { id: `${index}`, weight: 1 },
      meanMs,
      freeAt: Array.from({ length: 16 }, () => 0),
      answered: 0,
    };
  });
  const list = servers.map(({ target }) => target);
  let now = 0;
  const balancer = make(
    instanceLoads<Balanced>(() => now),
    seededRandom(11),
  );
  let open: { doneAt: number; tookMs: number; target: Balanced }[] = [];
  const latencies: number[] = [];
  for (let request = 0; request < REQUESTS; request++) {
    const at = now + exponential(1_000 / PER_SECOND);
    for (const each of open.filter(({ doneAt }) => doneAt <= at).sort((a, b) => a.doneAt - b.doneAt)) {
      now = each.doneAt;
      balancer.finished(each.target, { tookMs: each.tookMs, failed: false });
    }
    open = open.filter(({ doneAt }) => doneAt > at);
    now = at;
    const target = balancer.pick(list);
    const server = servers.find((each) => each.target === target);
    if (!target || !server) throw new Error("nobody was chosen");
    balancer.started(target);
    const worker = server.freeAt.indexOf(Math.min(...server.freeAt));
    const doneAt = Math.max(now, server.freeAt[worker] ?? 0) + server.meanMs * (0.5 + random());
    server.freeAt[worker] = doneAt;
    server.answered++;
    open.push({ doneAt, tookMs: doneAt - now, target });
    latencies.push(doneAt - now);
  }
  latencies.sort((one, other) => one - other);
  const quantile = (share: number) => Math.round(latencies[Math.floor(share * REQUESTS)] ?? 0);
  return { p50: quantile(0.5), p99: quantile(0.99), shares: servers.map((s) => s.answered / REQUESTS) };
};

test("with one of five instances ten times slower, power of two has less than a fifth of round robin's p99", () => {
  const means = [10, 10, 10, 10, 100];
  const inTurn = simulate(weightedRoundRobin, means);
  const ofTwo = simulate(powerOfTwo, means);
  console.info("one of five slow:", JSON.stringify({ inTurn, ofTwo }));
  expect(ofTwo.p99).toBeLessThan(inTurn.p99 / 5);
  expect(ofTwo.shares[4]).toBeLessThan(0.01);
});

test("among equals power of two spreads the work, and is no slower than round robin", () => {
  const means = [20, 20, 20, 20, 20];
  const inTurn = simulate(weightedRoundRobin, means);
  const ofTwo = simulate(powerOfTwo, means);
  console.info("five equals:", JSON.stringify({ inTurn, ofTwo }));
  expect(ofTwo.p99).toBeLessThanOrEqual(inTurn.p99);
  for (const share of ofTwo.shares) expect(Math.abs(share - 0.2)).toBeLessThan(0.05);
});
