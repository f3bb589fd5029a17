import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { afterEach, describe, expect, test, vi } from "vitest";
import { LogUnavailable } from "#shared/events/event-log.ts";
import { LIMITS } from "#shared/limits.ts";
import { sleep as realSleep, systemClock } from "#shared/runtime/clock.ts";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { startNats } from "#test/setup/nats.ts";
import { natsConnector } from "./connection.ts";
import { epochBroadcast } from "./epoch-broadcast.ts";
import { followEpochs } from "./epoch-subscription.ts";

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A server, someone who tells it of epochs, and someone who hears of them; `heard` is what came. */
const overNats = async () => {
  const nats = await startNats();
  cleanUps.push(nats.dispose);
  const connector = natsConnector({ url: nats.url, name: "control", clock: systemClock });
  cleanUps.push(connector.close);
  const heard: number[] = [];
  const subscription = followEpochs({
    url: nats.url,
    name: "process",
    saw: (epoch) => heard.push(epoch),
    sleep: realSleep,
  });
  cleanUps.push(subscription.close);
  const broadcast = epochBroadcast({ connector });
  /** Repeats the epoch until it is heard: core NATS keeps nothing for who is not there yet. */
  const tellUntilHeard = (epoch: number) =>
    vi.waitFor(
      async () => {
        await broadcast(epoch);
        expect(heard).toContain(epoch);
      },
      { timeout: 10_000, interval: 50 },
    );
  return { nats, heard, subscription, broadcast, tellUntilHeard };
};

test("an epoch that is told is heard", async () => {
  const { tellUntilHeard } = await overNats();
  await tellUntilHeard(7);
});

test("a server that was killed and came back carries epochs again", async () => {
  const { nats, tellUntilHeard } = await overNats();
  await tellUntilHeard(7);
  await nats.kill();
  await nats.start();
  await tellUntilHeard(8);
});

test("what is no epoch is not heard, and what comes after it is", async () => {
  const { nats, heard, tellUntilHeard } = await overNats();
  await tellUntilHeard(1);
  const stranger = await connect({ servers: nats.url });
  cleanUps.push(() => stranger.close());
  for (const text of ["", "{", "null", "[]", '{"epoch":"9"}', '{"epoch":1.5}', '{"epoch":1e99}', "7"])
    stranger.publish("skerry.control.epoch", text);
  await stranger.flush();
  await tellUntilHeard(2);
  expect(new Set(heard)).toEqual(new Set([1, 2]));
});

describe("telling", () => {
  test("does not fail when NATS is away", async () => {
    const get = () => Promise.reject(new LogUnavailable("The log is not reachable"));
    await expect(epochBroadcast({ connector: { get } })(1)).resolves.toBeUndefined();
  });

  test("ends when NATS takes the epoch and says nothing", async () => {
    const time = virtualTime();
    const frozen = { publish: () => {}, flush: () => new Promise<void>(() => {}) };
    const get = async () => frozen as unknown as NatsConnection;
    let isOver = false;
    void epochBroadcast({ connector: { get }, sleep: time.sleep })(1).then(() => {
      isOver = true;
    });
    await time.pass(LIMITS.epochBroadcastMs - 1);
    expect(isOver).toBe(false);
    await time.pass(1);
    expect(isOver).toBe(true);
  });
});

describe("following", () => {
  const followingInVain = () => {
    const time = virtualTime(0);
    const attempts: number[] = [];
    const subscription = followEpochs({
      url: "nats://127.0.0.1:1",
      name: "process",
      saw: () => {},
      sleep: time.sleep,
      random: () => 1,
      open: async () => {
        attempts.push(time.clock());
        throw new Error("ECONNREFUSED");
      },
    });
    return { time, attempts, subscription };
  };

  test("tries without end, in growing pauses of at most five seconds", async () => {
    const { time, attempts, subscription } = followingInVain();
    await time.pass(60_000);
    const pauses = attempts.map((at, index) => at - (attempts[index - 1] ?? 0)).slice(1);
    expect(pauses.slice(0, 7)).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000]);
    expect(pauses.at(-1)).toBe(5_000);
    await subscription.close();
  });

  test("ends when it is closed, also between two attempts", async () => {
    const { time, attempts, subscription } = followingInVain();
    await time.pass(1_000);
    await subscription.close();
    const before = attempts.length;
    await time.pass(60_000);
    expect(attempts.length).toBe(before);
  });
});
