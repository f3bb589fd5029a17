/** Holds what messages do when their connection is replaced, is lost, or may not do what it is asked to. */
import type { NatsConnection } from "@nats-io/nats-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { keepListening } from "#shared/messaging/keep-listening.ts";
import type { Message, MessageListener } from "#shared/messaging/message-transport.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { natsPrograms, startNats, type TestNats } from "#test/setup/nats.ts";
import { natsConnector } from "../connection.ts";
import { openConnection } from "../open-connection.ts";
import { messageSubject } from "../subjects.ts";
import { natsMessages } from "./nats-messages.ts";

const messageOf = (id: string, address = "catalog.changed.v1"): Message => ({
  address,
  id,
  body: `{"id":"${id}"}`,
  trace: {},
  metadata: {},
});

describe.each(await natsPrograms())("messages on NATS $version", (program) => {
  let nats: TestNats;
  const closing: { close(): unknown }[] = [];

  beforeAll(async () => {
    nats = await startNats(program, {
      settings: `accounts { A { users = [
        { user: all, password: p }
        { user: few, password: p, permissions: { publish: { deny: "msg.>" }, subscribe: { deny: "msg.>" } } }
      ] } }`,
    });
  });
  afterAll(() => nats?.dispose());
  afterEach(async () => {
    for (const one of closing.splice(0).reverse()) await one.close();
  });

  const urlOf = (user: string) => nats.url.replace("://", `://${user}:p@`);
  const connection = async (): Promise<NatsConnection> => {
    const opened = await openConnection({ servers: urlOf("all"), reconnect: false });
    closing.push(opened);
    return opened;
  };
  const connectorOf = (user = "all") => {
    const connector = natsConnector({ url: urlOf(user), name: user, clock: systemClock });
    closing.push(connector);
    return connector;
  };
  const overConnection = (given: NatsConnection) =>
    natsMessages({
      connector: { get: async () => given, standing: () => given },
      clock: systemClock,
    });
  const kept = (transport: ReturnType<typeof natsMessages>, ...listeners: MessageListener[]) => {
    const keeping = keepListening({ transport, listeners, random: () => 0, sleep });
    closing.push(keeping);
    return keeping;
  };

  test("none is missed and none comes twice while the connection is replaced by another", async () => {
    const [old, next, sender] = await Promise.all([connection(), connection(), connection()]);
    const left: string[] = [];
    const subscribe = old.subscribe.bind(old);
    old.subscribe = (...args) => {
      const subscription = subscribe(...args);
      const drain = subscription.drain.bind(subscription);
      subscription.drain = () => {
        left.push("the older is left");
        return drain();
      };
      return subscription;
    };
    const flush = next.flush.bind(next);
    next.flush = async () => {
      await flush();
      left.push("the newer is heard");
    };
    let current = old;
    let look = () => {};
    const heard: string[] = [];
    const keeping = kept(
      natsMessages({
        connector: { get: async () => current, standing: () => current },
        clock: systemClock,
        // It looks when the test says so, and a bound does not end.
        sleep: (_, signal) =>
          new Promise((resolve, reject) => {
            look = resolve;
            signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
          }),
      }),
      {
        address: "catalog.changed.v1",
        async receive({ id }) {
          heard.push(id);
          return undefined;
        },
      },
    );
    await expect.poll(() => keeping.hears()).toBe(true);
    const messages = overConnection(sender);
    const sent: string[] = [];
    for (let count = 0; count < 300; count++) {
      const id = `m${count}`;
      sent.push(id);
      await messages.publish(messageOf(id));
      await sender.flush();
      if (count === 100) {
        current = next;
        look();
      }
    }
    await expect.poll(() => heard.length).toBeGreaterThanOrEqual(300);
    expect(heard).toEqual(sent);
    expect(left).toEqual(["the newer is heard", "the older is left"]);
    await old.close();
    await messages.publish(messageOf("last"));
    await expect.poll(() => heard.at(-1)).toBe("last");
  });

  test("a request whose connection is lost is unavailable before its time is over", async () => {
    const answerer = await connection();
    const asked = Promise.withResolvers<void>();
    answerer.subscribe(messageSubject("catalog.quote.v1"), { callback: () => asked.resolve() });
    await answerer.flush();
    const requester = await connection();
    const answered = overConnection(requester).request(messageOf("q", "catalog.quote.v1"), 20_000);
    await asked.promise;
    await requester.close();
    expect(await answered).toMatchObject({ ok: false, error: { code: "unavailable" } });
  });

  test("who may neither send nor listen is told so as a refusal, and hears nothing", async () => {
    const messages = natsMessages({ connector: connectorOf("few"), clock: systemClock });
    const asked = await messages.request(messageOf("q", "catalog.quote.v1"), 2_000);
    expect(asked).toMatchObject({ ok: false, error: { code: "unavailable" } });
    const stop = new AbortController();
    const listening = messages.listen([{ address: "catalog.quote.v1", receive: async () => "7" }]);
    await expect(listening.keep(stop.signal, () => {})).rejects.toThrow("Permissions Violation");
  });

  test("without a server to connect to, sending is refused and listening throws", async () => {
    const connector = natsConnector({ url: "nats://127.0.0.1:1", name: "none", clock: systemClock });
    const messages = natsMessages({ connector, clock: systemClock });
    for (const refused of [
      await messages.publish(messageOf("a")),
      await messages.request(messageOf("b"), 500),
    ])
      expect(refused).toMatchObject({ ok: false, error: { code: "unavailable" } });
    const listening = messages.listen([{ address: "catalog.changed.v1", receive: async () => undefined }]);
    await expect(listening.keep(new AbortController().signal, () => {})).rejects.toThrow("not reachable");
  });

  test("a listener hears again after its server was away", async () => {
    const heard: string[] = [];
    const keeping = kept(natsMessages({ connector: connectorOf(), clock: systemClock }), {
      address: "catalog.changed.v1",
      async receive({ id }) {
        heard.push(id);
        return undefined;
      },
    });
    await expect.poll(() => keeping.hears()).toBe(true);
    await nats.kill();
    await expect.poll(() => keeping.hears()).toBe(false);
    await nats.start();
    await expect.poll(() => keeping.hears(), { timeout: 10_000 }).toBe(true);
    await natsMessages({ connector: connectorOf(), clock: systemClock }).publish(messageOf("after"));
    await expect.poll(() => heard).toEqual(["after"]);
  });

  test("trace, epoch and deadline travel as the headers of a commit do", async () => {
    const raw = await connection();
    const headers = Promise.withResolvers<Record<string, readonly string[]>>();
    raw.subscribe("msg.>", {
      callback: (_, { headers: all }) =>
        headers.resolve(Object.fromEntries([...(all ?? [])].map(([name, values]) => [name, values]))),
    });
    await raw.flush();
    const trace = { traceparent: "00-1-2-01", "skerry-internal-epoch": "7" };
    const metadata = { tenant: "acme", correlationId: "c", causationId: "e" };
    void overConnection(raw).request({ ...messageOf("q"), trace, metadata }, 250);
    expect(await headers.promise).toMatchObject({
      "Content-Type": ["application/cloudevents+json; charset=UTF-8"],
      traceparent: ["00-1-2-01"],
      "Skerry-Epoch": ["7"],
      "Skerry-Tenant": ["acme"],
      "Skerry-Correlation-Id": ["c"],
      "Skerry-Causation-Id": ["e"],
      "Skerry-Deadline": [expect.stringMatching(/^2[0-4]\d$|^250$/)],
    });
  });
});
