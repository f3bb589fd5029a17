/**
 * Clients, a network and a server in virtual time: one thing happens after the other, as it is chosen. The client library
 * and everything above it are the real ones. A message is handled and answered in one step, because who waits for an answer
 * does nothing meanwhile; time passes when nothing is on its way.
 */
import { type Msg, type MsgHdrs, type NatsConnection, headers as newHeaders } from "@nats-io/nats-core";
import type { NatsConnector } from "#nats/connection.ts";
import { LogUnavailable } from "#shared/events/event-log.ts";
import type { Clock, Sleep } from "#shared/runtime/clock.ts";
import type { Choose } from "./choices.ts";
import { type ModelStream, modelStream, type StoredMessage, type StreamModel } from "./model-stream.ts";

export interface WorldOptions extends StreamModel {
  readonly choose: Choose;
  /** What may go wrong in one run: a message or an answer lost or late, a restart, a replica behind, a crash of a client. */
  readonly faults: number;
  /** Whether a write can be in process for a while, and a replica behind. */
  readonly cluster: boolean;
}

export interface ModelClient {
  readonly connector: NatsConnector;
  /** Its connection is lost, and it never gets another one. */
  die(): void;
}

export interface World {
  readonly stream: ModelStream;
  readonly clock: Clock;
  readonly sleep: Sleep;
  client(): ModelClient;
  /** Whether something that may go wrong does so now. */
  goesWrong(): boolean;
  /** Lets things happen until the work is done, then what is still on its way arrive. */
  run(work: Promise<unknown>, mayCrash?: () => readonly (() => void)[]): Promise<void>;
}

interface Sent {
  readonly from: symbol;
  /** Handles it; the answer reaches who sent it unless it is lost. */
  readonly arrive: (answer: "answered" | "lost" | "in process") => void;
  readonly isWrite: boolean;
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const utf8 = new TextEncoder();

export const modelWorld = ({ choose, faults, cluster, ...model }: WorldOptions): World => {
  const stream = modelStream(model);
  let now = 0;
  let faultsLeft = faults;
  let onTheirWay: Sent[] = [];
  /** Late ones: they may arrive at any time, or never. */
  let late: Sent[] = [];
  const timers = new Set<{ readonly at: number; readonly ring: () => void }>();
  const connections = new Map<symbol, () => void>();
  let appliers: ((answer: unknown) => void)[] = [];

  const timer = (ms: number, ring: () => void) => {
    const one = {
      at: now + ms,
      ring: () => {
        timers.delete(one);
        ring();
      },
    };
    timers.add(one);
    return () => void timers.delete(one);
  };

  const sleep: Sleep = (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = timer(ms, resolve);
      signal?.addEventListener("abort", () => {
        stop();
        reject(signal.reason);
      });
    });

  const goesWrong = (): boolean => {
    if (faultsLeft === 0 || choose(2) === 0) return false;
    faultsLeft--;
    return true;
  };

  const message = (data: Uint8Array, headers?: MsgHdrs): Msg => ({ data, headers }) as unknown as Msg;
  const json = (value: unknown): Msg => message(utf8.encode(JSON.stringify(value)));

  const stored = ({ subject, seq, data, headers }: StoredMessage): Msg => {
    const lines = [...headers].flatMap(([key, values]) => values.map((value) => `${key}: ${value}\r\n`));
    const hdrs = Buffer.from(`NATS/1.0\r\n${lines.join("")}\r\n`).toString("base64");
    const time = "2026-01-01T00:00:00Z";
    return json({ message: { subject, seq, hdrs, data: Buffer.from(data).toString("base64"), time } });
  };

  const direct = ({ subject, seq, data, headers: kept }: StoredMessage): Msg => {
    const headers = newHeaders();
    for (const [key, values] of kept) for (const value of values) headers.append(key, value);
    headers.set("Nats-Subject", subject);
    headers.set("Nats-Sequence", `${seq}`);
    headers.set("Nats-Num-Pending", "0");
    return message(data, headers);
  };

  const matching = (
    from: readonly StoredMessage[],
    query: { seq?: number; next_by_subj?: string; last_by_subj?: string },
  ): readonly StoredMessage[] =>
    query.last_by_subj !== undefined
      ? from.filter(({ subject }) => subject === query.last_by_subj).slice(-1)
      : from.filter(({ subject, seq }) => subject === query.next_by_subj && seq >= (query.seq ?? 0));

  const connect = (from: symbol, closed: PromiseWithResolvers<void>): NatsConnection => {
    let isClosed = false;
    const inboxes = new Map<string, (error: Error | null, message: Msg) => void>();
    connections.set(from, () => {
      isClosed = true;
      closed.resolve();
    });

    const request = (subject: string, data: Uint8Array, { timeout, headers }: RequestOptions) =>
      new Promise<Msg>((resolve, reject) => {
        if (isClosed) return reject(new Error("closed"));
        const stop = timer(timeout, () => reject(new Error("timeout")));
        void closed.promise.then(() => reject(new Error("closed")));
        const answer = (value: Msg) => {
          stop();
          resolve(value);
        };
        const isWrite = !subject.startsWith("$JS.API.");
        onTheirWay.push({
          from,
          isWrite,
          arrive(how) {
            if (isWrite) {
              const published = { subject, data, headers: headers ?? newHeaders() };
              const told = stream.publish(published, how === "in process" ? "in process" : "at once");
              if (told === undefined) appliers.push((applied) => answer(json(applied)));
              else if (how !== "lost") answer(json(told));
              return;
            }
            if (how === "lost") return;
            const [found] = matching(stream.shown(), JSON.parse(new TextDecoder().decode(data)));
            answer(
              found
                ? stored(found)
                : json({ error: { code: 404, err_code: 10037, description: "no message found" } }),
            );
          },
        });
      });

    const page = (payload: string, reply: string) =>
      onTheirWay.push({
        from,
        isWrite: false,
        arrive() {
          const push = inboxes.get(reply);
          const shown = stream.shown();
          const replica = cluster && shown.length > 0 && goesWrong() ? shown.slice(0, -1) : shown;
          const query = JSON.parse(payload) as { batch: number; seq: number; next_by_subj: string };
          for (const found of matching(replica, query).slice(0, query.batch)) push?.(null, direct(found));
          push?.(null, message(new Uint8Array(), newHeaders(204, "EOB")));
        },
      });

    return {
      info: { version: "2.15.0" },
      options: {},
      isClosed: () => isClosed,
      closed: () => closed.promise,
      request,
      subscribe: (inbox: string, { callback }: { callback: (error: Error | null, message: Msg) => void }) => {
        inboxes.set(inbox, callback);
        return { unsubscribe: () => inboxes.delete(inbox), closed: closed.promise };
      },
      publish: (_: string, payload: string, { reply }: { reply: string }) => page(payload, reply),
    } as unknown as NatsConnection;
  };

  const client = (): ModelClient => {
    const from = Symbol("client");
    let connection: NatsConnection | undefined;
    let isDead = false;
    const standing = () => (connection && !connection.isClosed() ? connection : undefined);
    return {
      connector: {
        standing,
        async get() {
          if (isDead) throw new LogUnavailable("dead");
          connection = standing() ?? connect(from, Promise.withResolvers<void>());
          return connection;
        },
        close: async () => undefined,
      },
      die() {
        isDead = true;
        connections.get(from)?.();
        // What it had sent is out of its hands.
        late.push(...onTheirWay.filter((sent) => sent.from === from && sent.isWrite));
        onTheirWay = onTheirWay.filter((sent) => sent.from !== from);
      },
    };
  };

  const restart = () => {
    stream.restart(cluster ? choose(2) : 0);
    appliers = [];
    for (const close of connections.values()) close();
    late.push(...onTheirWay.filter(({ isWrite }) => isWrite));
    onTheirWay = [];
  };

  /** What may go wrong with a message that is on its way. */
  const troubles = (sent: Sent): (() => void)[] => [
    ...(sent.isWrite ? [() => void late.push(sent)] : []),
    () => sent.arrive("lost"),
    ...(sent.isWrite && cluster ? [() => sent.arrive("in process")] : []),
  ];

  const take = (sent: Sent) => {
    onTheirWay = onTheirWay.filter((other) => other !== sent);
    return sent;
  };

  const steps = (mayCrash: readonly (() => void)[]): (() => void)[] => {
    // In which order reads come makes no difference.
    const firstRead = onTheirWay.find(({ isWrite }) => !isWrite);
    const arriving = onTheirWay.filter((sent) => sent.isWrite || sent === firstRead);
    const usual = [
      ...arriving.map((sent) => () => take(sent).arrive("answered")),
      ...late.map((sent) => () => {
        late = late.filter((other) => other !== sent);
        sent.arrive("lost");
      }),
      ...(stream.inProcess().length > 0 ? [() => appliers.shift()?.(stream.apply())] : []),
    ];
    if (onTheirWay.length === 0) {
      const next = [...timers].sort((a, b) => a.at - b.at)[0];
      if (next)
        usual.push(() => {
          now = Math.max(now, next.at);
          next.ring();
        });
    }
    if (faultsLeft === 0) return usual;
    const faulty = [
      ...arriving.flatMap((sent) =>
        troubles(sent).map((trouble) => () => {
          take(sent);
          trouble();
        }),
      ),
      ...(onTheirWay.length > 0 ? [restart, ...mayCrash] : []),
    ];
    return [
      ...usual,
      ...faulty.map((fault) => () => {
        faultsLeft--;
        fault();
      }),
    ];
  };

  return {
    stream,
    clock: () => now,
    sleep,
    client,
    goesWrong,
    async run(work, mayCrash = () => []) {
      let isDone = false;
      const done = work.finally(() => {
        isDone = true;
      });
      done.catch(() => undefined);
      for (let happened = 0; ; happened++) {
        await settled();
        if (isDone) break;
        const possible = steps(mayCrash());
        if (possible.length === 0 || happened > 2_000) throw new Error("It stands still");
        possible[choose(possible.length)]?.();
      }
      await done;
      for (const sent of late) sent.arrive("lost");
      while (stream.inProcess().length > 0) stream.apply();
    },
  };
};

interface RequestOptions {
  readonly timeout: number;
  readonly headers?: MsgHdrs;
}
