import type { NatsConnection } from "@nats-io/nats-core";
import { describe, expect, it } from "vitest";
import { LogUnavailable } from "#shared/events/event-log.ts";
import { natsConnector } from "./connection.ts";

/** A connector over connections that the test opens, refuses and loses by hand. */
const scripted = () => {
  let now = 1_000;
  let reachable = true;
  const lose: Array<() => void> = [];
  let closes = 0;
  const open = async () => {
    if (!reachable) throw new Error("ECONNREFUSED");
    const closed = new Promise<void>((resolve) => {
      lose.push(resolve);
    });
    const end = lose.at(-1);
    return {
      closed: () => closed,
      close: async () => {
        closes++;
        end?.();
      },
    } as unknown as NatsConnection;
  };
  let attempts = 0;
  const connector = natsConnector({
    url: "nats://127.0.0.1:4222",
    name: "test",
    clock: () => now,
    open: (options) => {
      attempts++;
      expect(options.reconnect).toBe(false);
      return open();
    },
  });
  return {
    connector,
    attempts: () => attempts,
    closes: () => closes,
    setReachable: (value: boolean) => {
      reachable = value;
    },
    pass: (ms: number) => {
      now += ms;
    },
    loseLast: () => lose.at(-1)?.(),
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
    expect(attempts()).toBe(0);
    expect(await connector.get()).toBe(await connector.get());
    expect(attempts()).toBe(1);
  });

  it("refuses at once for 100 ms after a refused attempt", async () => {
    const { connector, attempts, setReachable, pass } = scripted();
    setReachable(false);
    await expect(connector.get()).rejects.toThrow(LogUnavailable);
    pass(99);
    await expect(connector.get()).rejects.toThrow(LogUnavailable);
    expect(attempts()).toBe(1);
  });

  it("tries again after that pause, however often it was asked during it", async () => {
    const { connector, attempts, setReachable, pass } = scripted();
    setReachable(false);
    await expect(connector.get()).rejects.toThrow(LogUnavailable);
    pass(50);
    await expect(connector.get()).rejects.toThrow(LogUnavailable);
    setReachable(true);
    pass(50);
    await expect(connector.get()).resolves.toBeDefined();
    expect(attempts()).toBe(2);
  });

  it("opens a new connection after the old one was lost", async () => {
    const { connector, attempts, loseLast } = scripted();
    const first = await connector.get();
    loseLast();
    await first.closed();
    expect(await connector.get()).not.toBe(first);
    expect(attempts()).toBe(2);
  });

  it("closes what is open, and nothing when nothing is", async () => {
    const { connector, closes } = scripted();
    await connector.close();
    expect(closes()).toBe(0);
    await connector.get();
    await connector.close();
    expect(closes()).toBe(1);
  });
});
