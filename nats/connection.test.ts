import type { NatsConnection } from "@nats-io/nats-core";
import { describe, expect, it } from "vitest";
import { LogUnavailable } from "#shared/events/event-log.ts";
import { LIMITS } from "#shared/limits.ts";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { natsConnector } from "./connection.ts";

/** A connection that says what happens to it; the test loses it by hand. */
const fakeConnection = ({ drains = true } = {}) => {
  const did: string[] = [];
  let end = () => {};
  let open = true;
  const closed = new Promise<void>((resolve) => {
    end = () => {
      open = false;
      resolve();
    };
  });
  const connection = {
    closed: () => closed,
    isClosed: () => !open,
    drain: () => {
      did.push("drain");
      return drains ? Promise.resolve() : new Promise<void>(() => {});
    },
    close: async () => {
      did.push("close");
      end();
    },
  };
  return { connection: connection as unknown as NatsConnection, did, lose: end };
};

/** A connector over connections that the test opens, refuses and loses by hand. */
const scripted = ({ random = 1, drains = true } = {}) => {
  const time = virtualTime();
  const made: ReturnType<typeof fakeConnection>[] = [];
  let reachable = true;
  let attempts = 0;
  const connector = natsConnector({
    url: "nats://127.0.0.1:4222",
    name: "test",
    user: "orders",
    clock: time.clock,
    sleep: time.sleep,
    random: () => random,
    open: async (options) => {
      attempts++;
      expect(options).toMatchObject({ reconnect: false, inboxPrefix: "_INBOX.orders" });
      if (!reachable) throw new Error("ECONNREFUSED");
      const fake = fakeConnection({ drains });
      made.push(fake);
      return fake.connection;
    },
  });
  return {
    connector,
    time,
    made,
    attempts: () => attempts,
    setReachable: (value: boolean) => {
      reachable = value;
    },
  };
};

describe("natsConnector", () => {
  it("makes one attempt for many callers at once, and gives all of them the same connection", async () => {
    const { connector, attempts } = scripted();
    const connections = await Promise.all(Array.from({ length: 20 }, () => connector.get()));
    expect(new Set(connections).size).toBe(1);
    expect(attempts()).toBe(1);
  });

  it("connects only when somebody asks, and not again while the connection stands", async () => {
    const { connector, attempts } = scripted();
    expect(connector.standing()).toBeUndefined();
    expect(attempts()).toBe(0);
    expect(await connector.get()).toBe(await connector.get());
    expect(connector.standing()).toBe(await connector.get());
    expect(attempts()).toBe(1);
  });

  it("opens a new connection after the old one was lost", async () => {
    const { connector, made } = scripted();
    await connector.get();
    made[0]?.lose();
    expect(connector.standing()).toBeUndefined();
    expect(await connector.get()).toBe(made[1]?.connection);
  });

  it("lets what has arrived be handled before it closes, and does nothing when nothing is open", async () => {
    const { connector, made } = scripted();
    await connector.close();
    expect(made).toEqual([]);
    await connector.get();
    await connector.close();
    expect(made[0]?.did).toEqual(["drain", "close"]);
  });

  it("closes after a second what does not let itself be drained", async () => {
    const { connector, made, time } = scripted({ drains: false });
    await connector.get();
    const closed = connector.close();
    await time.pass(LIMITS.natsDrainMs - 1);
    expect(made[0]?.did).toEqual(["drain"]);
    await time.pass(1);
    await closed;
    expect(made[0]?.did).toEqual(["drain", "close"]);
  });
});

describe("after refused attempts", () => {
  it("others are refused at once for 100 ms", async () => {
    const { connector, attempts, setReachable, time } = scripted();
    setReachable(false);
    await expect(connector.get()).rejects.toThrow(LogUnavailable);
    await time.pass(99);
    await expect(connector.get()).rejects.toThrow(LogUnavailable);
    expect(attempts()).toBe(1);
    setReachable(true);
    await time.pass(1);
    await expect(connector.get()).resolves.toBeDefined();
    expect(attempts()).toBe(2);
  });

  /** When each attempt was made that somebody asked for at each millisecond of three seconds without a server. */
  const attemptTimes = async (random: number): Promise<number[]> => {
    const { connector, attempts, setReachable, time } = scripted({ random });
    setReachable(false);
    const times: number[] = [];
    for (let ms = 0; ms < 3_000; ms++) {
      const before = attempts();
      await connector.get().catch(() => undefined);
      if (attempts() > before) times.push(ms);
      await time.pass(1);
    }
    return times;
  };

  it("the pauses grow to half a second and no further, and chance shortens them to half", async () => {
    expect(await attemptTimes(1)).toEqual([0, 100, 300, 700, 1_200, 1_700, 2_200, 2_700]);
    expect((await attemptTimes(0)).slice(0, 6)).toEqual([0, 50, 150, 350, 600, 850]);
  });

  it("the first pause is short again once a connection stood", async () => {
    const { connector, made, attempts, setReachable, time } = scripted();
    setReachable(false);
    for (let ms = 0; ms < 2_000; ms += 100) {
      await connector.get().catch(() => undefined);
      await time.pass(100);
    }
    setReachable(true);
    await time.pass(LIMITS.natsRefusedPauseMs);
    await connector.get();
    setReachable(false);
    made[0]?.lose();
    const before = attempts();
    await connector.get().catch(() => undefined);
    await time.pass(100);
    await connector.get().catch(() => undefined);
    expect(attempts()).toBe(before + 2);
  });
});

describe("a connection that grows old", () => {
  const old = async (options?: { drains: boolean }) => {
    const world = scripted(options);
    const first = await world.connector.get();
    await world.time.pass(LIMITS.natsRenewMs);
    return { ...world, first };
  };

  it("is replaced before the platform's 15 minutes end, while nobody waits for the new one", async () => {
    expect(LIMITS.natsRenewMs + LIMITS.natsRetireMs + LIMITS.natsDrainMs).toBeLessThan(15 * 60_000);
    expect(LIMITS.natsRetireMs).toBeGreaterThan(LIMITS.pumpMs + LIMITS.commandMs);
    const { connector, first, made, time } = await old();
    expect(await connector.get()).toBe(first);
    await time.settle();
    expect(await connector.get()).toBe(made[1]?.connection);
    expect(connector.standing()).toBe(made[1]?.connection);
  });

  it("stays as it is until then, and when nobody asks", async () => {
    const { connector, attempts, time } = scripted();
    await connector.get();
    await time.pass(LIMITS.natsRenewMs - 1);
    await connector.get();
    await time.settle();
    expect(attempts()).toBe(1);
    await time.pass(60 * 60_000);
    expect(attempts()).toBe(1);
  });

  it("is replaced by one attempt, however many ask for it meanwhile", async () => {
    const { connector, attempts, time } = await old();
    await Promise.all(Array.from({ length: 20 }, () => connector.get()));
    connector.standing();
    await time.settle();
    expect(attempts()).toBe(2);
  });

  it("is drained and closed after a bound, so that what is under way on it ends by itself", async () => {
    const { connector, made, time } = await old();
    await connector.get();
    await time.pass(LIMITS.natsRetireMs - 1);
    expect(made[0]?.did).toEqual([]);
    await time.pass(1);
    await time.settle();
    expect(made.map(({ did }) => did)).toEqual([["drain", "close"], []]);
  });

  it("goes on being used while no new one can be had, and is replaced later", async () => {
    const { connector, first, made, attempts, setReachable, time } = await old();
    setReachable(false);
    expect(await connector.get()).toBe(first);
    await time.settle();
    expect(await connector.get()).toBe(first);
    await time.settle();
    expect(attempts()).toBe(2);
    setReachable(true);
    await time.pass(100);
    await connector.get();
    await time.settle();
    expect(await connector.get()).toBe(made[1]?.connection);
    expect(made[0]?.did).toEqual([]);
  });

  it("does not take its successor with it when it is lost", async () => {
    const { connector, made, time } = await old();
    await connector.get();
    await time.settle();
    made[0]?.lose();
    await time.settle();
    expect(await connector.get()).toBe(made[1]?.connection);
  });

  it("is closed at once when all ends", async () => {
    const { connector, made, time } = await old();
    await connector.get();
    await time.settle();
    await connector.close();
    await time.settle();
    expect(made.map(({ did }) => did.at(-1))).toEqual(["close", "close"]);
  });
});
