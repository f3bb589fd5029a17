import { once } from "node:events";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Commit } from "#shared/events/event.ts";
import { type Append, type EventLog, LogUnavailable } from "#shared/events/event-log.ts";
import { LIMITS } from "#shared/limits.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { natsPrograms, startNats, type TestNats } from "#test/setup/nats.ts";
import { natsConnector } from "./connection.ts";
import { jetStreamEventLog } from "./jetstream-event-log.ts";
import { openConnection } from "./open-connection.ts";
import { logStreamConfig } from "./streams.ts";

const order = { type: "order", id: "a" };
const append = (commandId: string, expectedPosition = 0, data: object = {}): Append => ({
  aggregate: order,
  expectedPosition,
  expectedVersion: 0,
  commandId,
  at: 0,
  events: [{ type: "OrderPlaced", data }],
  trace: {},
});

/** What a command's client waits, the machine's own slowness included. */
const IN_TIME_MS = LIMITS.appendMs + 300;

const timed = async <T>(work: () => Promise<T>) => {
  const began = performance.now();
  const result = await work();
  return { result, ms: performance.now() - began };
};

/** Stands between client and server: loses an answer, or lets nothing through until it is told to. */
const startProxy = async (port: number) => {
  let nextAnswer: "pass" | "swallow" | "cut" = "pass";
  let frozen = false;
  let freezeAfterBytes = Number.POSITIVE_INFINITY;
  const held: Array<() => void> = [];
  const sockets = new Set<Socket>();
  const whenThawed = (act: () => void) => (frozen ? void held.push(act) : act());

  const server = createServer((client) => {
    const upstream = connectTcp(port, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
    client.on("close", () => whenThawed(() => upstream.destroy()));
    upstream.on("close", () => client.destroy());
    client.on("data", (chunk: Buffer) => whenThawed(() => upstream.write(chunk)));
    upstream.on("data", (chunk: Buffer) => {
      freezeAfterBytes -= chunk.length;
      if (freezeAfterBytes < 0) frozen = true;
      const act = /^H?MSG /m.test(chunk.toString("latin1")) ? nextAnswer : "pass";
      if (act === "pass") return whenThawed(() => client.write(chunk));
      nextAnswer = "pass";
      if (act === "cut") client.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("The proxy has no port");
  return {
    url: `nats://127.0.0.1:${address.port}`,
    loseNextAnswer: (how: "swallow" | "cut") => {
      nextAnswer = how;
    },
    freeze: () => {
      frozen = true;
    },
    /** Once the server has sent so much more. */
    freezeAfter: (bytes: number) => {
      freezeAfterBytes = bytes;
    },
    thaw: () => {
      frozen = false;
      for (const act of held.splice(0)) act();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
};

describe.each(await natsPrograms())("the log on NATS $version", (program) => {
  let nats: TestNats;
  let services = 0;
  const open: Array<() => unknown> = [];

  beforeAll(async () => {
    nats = await startNats(program);
  });
  afterAll(() => nats?.dispose());
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
    await nats.start();
  });

  const logOf = (service: string, url = nats.url): EventLog => {
    const connector = natsConnector({ url, name: "test", clock: systemClock });
    open.push(() => connector.close());
    return jetStreamEventLog({ service, connector, clock: systemClock });
  };
  /** Notes what it asks of the server, as "CONSUMER.CREATE". */
  const countingLog = (service: string) => {
    const asked: string[] = [];
    const counted: typeof openConnection = async (options) => {
      const connection = await openConnection(options);
      const publish = connection.publish.bind(connection);
      connection.publish = (subject, ...rest) => {
        if (subject.startsWith("$JS.API.")) asked.push(subject.split(".").slice(2, 4).join("."));
        publish(subject, ...rest);
      };
      return connection;
    };
    const connector = natsConnector({ url: nats.url, name: "test", clock: systemClock, open: counted });
    open.push(() => connector.close());
    return { asked, connector, log: jetStreamEventLog({ service, connector, clock: systemClock }) };
  };
  const proxied = async () => {
    const proxy = await startProxy(nats.port);
    open.push(proxy.close);
    return proxy;
  };
  const newService = async () => {
    const service = `service-${++services}`;
    const connection = await connect({ servers: nats.url });
    await (await jetstreamManager(connection)).streams.add(logStreamConfig(service));
    await connection.close();
    return service;
  };
  const commandsIn = async (log: EventLog) => (await log.read(order)).map(({ commandId }) => commandId);
  const first = async (log: EventLog) => {
    const appended = await log.append(append("first"));
    if (!appended.ok) throw new Error(`Cannot append: ${appended.error.code}`);
    return appended.value.position;
  };

  it("refuses in time while the server is dead, and goes on by itself when it is back", async () => {
    const log = logOf(await newService());
    const position = await first(log);
    await nats.kill();
    const { result, ms } = await timed(() => log.append(append("second", position)));
    expect(result).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(ms).toBeLessThan(IN_TIME_MS);
    await expect(log.read(order)).rejects.toThrow(LogUnavailable);
    await expect(log.lastPosition()).rejects.toThrow(LogUnavailable);

    await nats.start();
    expect(await log.append(append("second", position))).toMatchObject({
      ok: true,
      value: { duplicate: false },
    });
    expect(await commandsIn(log)).toEqual(["first", "second"]);
  });

  it("takes a command whose server died and came back within the time of one append", async () => {
    const log = logOf(await newService());
    const position = await first(log);
    await nats.kill();
    const appending = log.append(append("second", position));
    await nats.start();
    expect(await appending).toMatchObject({ ok: true });
    expect(await commandsIn(log)).toEqual(["first", "second"]);
  });

  it("refuses in time while the server hangs; what it does afterwards is done once", async () => {
    const proxy = await proxied();
    const log = logOf(await newService(), proxy.url);
    const position = await first(log);
    proxy.freeze();
    const { result, ms } = await timed(() => log.append(append("second", position)));
    expect(result).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(ms).toBeLessThan(IN_TIME_MS);
    proxy.thaw();
    expect(await log.append(append("second", position))).toMatchObject({ ok: true });
    expect(await commandsIn(log)).toEqual(["first", "second"]);
  });

  it("refuses in time while the server hangs before there is a connection", async () => {
    const proxy = await proxied();
    const log = logOf(await newService(), proxy.url);
    proxy.freeze();
    const { result, ms } = await timed(() => log.append(append("first")));
    expect(result).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(ms).toBeLessThan(IN_TIME_MS);
    proxy.thaw();
    expect(await log.append(append("first"))).toMatchObject({ ok: true });
  });

  it("answers by the time that it was given, sooner than by itself", async () => {
    const proxy = await proxied();
    const log = logOf(await newService(), proxy.url);
    const position = await first(log);
    proxy.freeze();
    const appended = await timed(() => log.append(append("second", position), Date.now() + 200));
    expect(appended.result).toMatchObject({ ok: false, error: { code: "unavailable" } });
    const readAll = () => log.read(order, { until: Date.now() + 200 }).catch((error: unknown) => error);
    const read = await timed(readAll);
    expect(read.result).toBeInstanceOf(LogUnavailable);
    expect(Math.max(appended.ms, read.ms)).toBeLessThan(450);
  });

  it("gives up a long history when nothing more of it comes", async () => {
    const proxy = await proxied();
    const service = await newService();
    const direct = logOf(service);
    let last = await first(direct);
    for (let n = 0; n < 600; n++) {
      const appended = await direct.append(append(`more-${n}`, last, { text: "x".repeat(1_000) }));
      if (appended.ok) last = appended.value.position;
    }
    const log = logOf(service, proxy.url);
    await log.lastPosition();
    proxy.freezeAfter(300_000);
    const read = await timed(() => log.read(order).catch((error: unknown) => error));
    expect(read.result).toBeInstanceOf(LogUnavailable);
    expect(read.ms).toBeLessThan(2 * LIMITS.readRequestMs + 300);
  });

  it.each(["swallow", "cut"] as const)("ends in one commit when the answer is lost (%s)", async (how) => {
    const proxy = await proxied();
    const log = logOf(await newService(), proxy.url);
    const position = await first(log);
    proxy.loseNextAnswer(how);
    const appended = await log.append(append("second", position));
    const commits: Commit[] = await log.read(order);
    expect(appended).toEqual({ ok: true, value: { position: commits[1]?.position, duplicate: true } });
    expect(commits.map(({ commandId }) => commandId)).toEqual(["first", "second"]);
  });

  it("knows its own commit again, of which a newer server says that another came first", async () => {
    const service = await newService();
    const connection = await connect({ servers: nats.url });
    open.push(() => connection.close());
    const publish = () =>
      jetstream(connection).publish(`log.${service}.order.a`, "[]", {
        msgID: "order.a.first",
        expect: { lastSubjectSequence: 0 },
      });
    const log = logOf(service);
    await first(log);
    const answer = await publish().then(
      ({ duplicate }) => (duplicate ? "duplicate" : "written"),
      ({ code }) => code,
    );
    expect(answer).toBe(program.version.startsWith("2.9.") ? "duplicate" : 10071);
    expect(await log.append(append("first"))).toMatchObject({ ok: true, value: { duplicate: true } });
  });

  it.each([true, false])(
    "reads a long history whole, where the stream allows direct gets or not (%s)",
    async (allowed) => {
      const service = await newService();
      const connection = await connect({ servers: nats.url });
      open.push(() => connection.close());
      const manager = await jetstreamManager(connection);
      await manager.streams.update(`log-${service}`, { allow_direct: allowed });
      const { log, asked } = countingLog(service);
      const positions = [await first(log)];
      for (let n = 1; n < 300; n++) {
        const appended = await log.append(
          append(`more-${n}`, positions.at(-1), { text: "x".repeat(20_000) }),
        );
        if (appended.ok) positions.push(appended.value.position);
      }
      for (const most of [300, 17])
        expect((await log.read(order, { most })).map(({ position }) => position)).toEqual(
          positions.slice(0, most),
        );
      expect(await log.read(order, { after: positions[1] ?? 0 })).toHaveLength(298);
      const byPages = allowed && !program.version.startsWith("2.9.");
      expect(asked.includes("CONSUMER.CREATE")).toBe(!byPages);
      // Six MB are two pages of four, and each read asks the leader where the history ends.
      if (byPages) expect(asked).toHaveLength(3 + 2 + 3);
    },
  );

  it("finds out again on its next connection whether a stream allows direct gets", async () => {
    const service = await newService();
    const connection = await connect({ servers: nats.url });
    open.push(() => connection.close());
    const manager = await jetstreamManager(connection);
    await manager.streams.update(`log-${service}`, { allow_direct: false });
    const { log, asked, connector } = countingLog(service);
    await first(log);
    const asks = async () => {
      asked.length = 0;
      expect(await log.read(order)).toHaveLength(1);
      return asked.filter((request) => request === "DIRECT.GET").length;
    };
    const offered = program.version.startsWith("2.9.") ? 0 : 1;
    expect([await asks(), await asks()]).toEqual([offered, 0]);
    await manager.streams.update(`log-${service}`, { allow_direct: true });
    await connector.close();
    expect([await asks(), await asks()]).toEqual([offered, offered]);
  });

  it("writes a commit of several events as one message, whole or not at all", async () => {
    const log = logOf(await newService());
    const position = await first(log);
    const three = { events: ["a", "b", "c"].map((type) => ({ type, data: {} })) };
    expect(await log.append({ ...append("stale", 0), ...three })).toEqual({
      ok: false,
      error: { code: "conflict" },
    });
    expect(await log.lastPosition()).toBe(position);
    expect(await log.append({ ...append("second", position), ...three })).toMatchObject({
      ok: true,
      value: { position: position + 1 },
    });
    expect((await log.read(order)).map(({ events }) => events.length)).toEqual([1, 3]);
  });

  it("ends a tail with LogUnavailable when the server dies, and tails on from the same place afterwards", async () => {
    const log = logOf(await newService());
    const position = await first(log);
    const { signal } = new AbortController();
    const tail = log.tail({ after: 0, batchMax: 10, signal })[Symbol.asyncIterator]();
    expect((await tail.next()).value).toHaveLength(1);
    const next = tail.next();
    const lost = expect(next).rejects.toThrow(LogUnavailable);
    await nats.kill();
    await lost;
    await nats.start();
    await log.append(append("second", position));
    const again = log.tail({ after: position, batchMax: 10, signal })[Symbol.asyncIterator]();
    expect((await again.next()).value).toMatchObject([{ commandId: "second" }]);
    await again.return?.();
  });

  it("leaves no consumer behind on the server when a tail ends", async () => {
    const service = await newService();
    const log = logOf(service);
    await first(log);
    const connection = await connect({ servers: nats.url });
    open.push(() => connection.close());
    const manager = await jetstreamManager(connection);
    const consumers = async () => (await manager.streams.info(`log-${service}`)).state.consumer_count;
    const { signal } = new AbortController();
    const tail = log.tail({ after: 0, batchMax: 10, signal })[Symbol.asyncIterator]();
    await tail.next();
    expect(await consumers()).toBe(1);
    await tail.return?.();
    await expect.poll(consumers).toBe(0);
  });

  it("ends a tail with LogUnavailable at once when the server forgets who tails", async () => {
    const service = await newService();
    const log = logOf(service);
    await first(log);
    const connection = await connect({ servers: nats.url });
    open.push(() => connection.close());
    const manager = await jetstreamManager(connection);
    const { signal } = new AbortController();
    const tail = log.tail({ after: 0, batchMax: 10, signal })[Symbol.asyncIterator]();
    await tail.next();
    const lost = timed(() => tail.next().catch((error: unknown) => error));
    for await (const { name } of manager.consumers.list(`log-${service}`))
      await manager.consumers.delete(`log-${service}`, name);
    expect((await lost).result).toBeInstanceOf(LogUnavailable);
    expect((await lost).ms).toBeLessThan(2_000);
  });

  it("tails large commits in batches of some 4 MiB", async () => {
    const log = logOf(await newService());
    const text = "x".repeat(800 * 1024);
    let last = 0;
    for (let n = 0; n < 12; n++) {
      const appended = await log.append(append(`large-${n}`, last, { text }));
      if (appended.ok) last = appended.value.position;
    }
    const { signal } = new AbortController();
    const sizes: number[] = [];
    for await (const batch of log.tail({ after: 0, batchMax: 500, signal })) {
      sizes.push(batch.length);
      if (batch.at(-1)?.position === last) break;
    }
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(12);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(6);
  });

  it("refuses a commit that is larger than a message may be, and writes nothing", async () => {
    const log = logOf(await newService());
    const appended = await log.append(append("large", 0, { text: "x".repeat(LIMITS.commitBytes) }));
    expect(appended).toMatchObject({ ok: false, error: { code: "too_large" } });
    expect(await log.lastPosition()).toBe(0);
    const fits = await log.append(append("fits", 0, { text: "x".repeat(LIMITS.commitBytes - 1_000) }));
    expect(fits).toMatchObject({ ok: true });
  });

  it("refuses as unavailable when it has no stream, and tells nothing of the server", async () => {
    const log = logOf("nobody");
    expect(await log.append(append("first"))).toEqual({
      ok: false,
      error: { code: "unavailable", detail: 'The log of "nobody" did not take the commit' },
    });
    await expect(log.read(order)).rejects.toThrow(LogUnavailable);
  });
});
