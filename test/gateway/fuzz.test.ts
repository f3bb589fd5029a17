/** Thousands of hostile requests against the gateway in the Workers runtime: it goes on, tells nobody of another, and does not grow. */
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type GatewayInWorkers, startGatewayInWorkers } from "./gateway-in-workers.ts";
import { bytesOf, type HostileConnection, hostileConnection } from "./hostile-request.ts";

/** Connections of one batch, all at once; each sends up to four requests. */
const AT_ONCE = 24;
/** Well-behaved clients beside them. */
const OTHERS = 6;
const BATCHES = Number(process.env.SKERRY_FUZZ_BATCHES ?? 250);
const SEED = Number(process.env.SKERRY_FUZZ_SEED ?? 20_261_122);
/** A connection that the gateway keeps open, waiting for more, is ended after this. */
const PATIENCE_MS = 250;
/**
 * The runtime collects late where nobody tells it how much memory there is: up to a gigabyte would stand about. With this it
 * ends when one isolate holds on to more than so many megabytes.
 */
const HEAP_FLAG = "--max-heap-size=24";
/** Beside that, what collecting frees outside of the heap may stand about for a while: with no bound for the heap it is some 400 MB more. */
const RESIDENT_BYTES = 400 * 1024 * 1024;

let ground: GatewayInWorkers;
let sent = 0;
let answered = 0;
/** Marks that came back. */
let repeated = 0;

beforeAll(async () => {
  vi.stubEnv("MINIFLARE_WORKERD_V8_FLAGS", HEAP_FLAG);
  ground = await startGatewayInWorkers({
    services: { wire: join(import.meta.dirname, "workers/wire-service.ts") },
  });
  if (process.env.SKERRY_FUZZ_BATCHES === undefined) {
    console.info(
      `${BATCHES} batches, to be quick; SKERRY_FUZZ_BATCHES=20000 takes a quarter of an hour, SKERRY_FUZZ_SEED other requests`,
    );
  }
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await ground?.close();
});

const MARKS = /mk-\d+-\d+-km/g;

/** Everything heard on one connection. */
const talk = (bytes: string, { pieces, breaks }: HostileConnection): Promise<string> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(ground.url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const chunks: Buffer[] = [];
    let patience: NodeJS.Timeout | undefined;
    const wait = () => {
      clearTimeout(patience);
      patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
    };
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      wait();
    });
    socket.on("error", () => undefined);
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(patience);
      resolve(Buffer.concat(chunks).toString("latin1"));
    });
    const size = Math.max(1, Math.ceil(bytes.length / pieces));
    socket.on("connect", async () => {
      for (let at = 0; at < bytes.length && !socket.destroyed; at += size) {
        socket.write(bytes.slice(at, at + size), "latin1");
        // A slow client: its pauses are what is tried.
        if (pieces > 1) await pause(2);
      }
      if (breaks) socket.resetAndDestroy();
      else socket.end();
      wait();
    });
  });

let connections = 0;

const tryOne = async (connection: HostileConnection): Promise<void> => {
  const own = connections++;
  sent += connection.requests.length;
  const heard = await talk(
    bytesOf(connection, (index) => `mk-${own}-${index}-km`),
    connection,
  );
  const marks = heard.match(MARKS) ?? [];
  expect(marks.filter((mark) => !mark.startsWith(`mk-${own}-`))).toEqual([]);
  repeated += marks.length;
  answered += heard.match(/HTTP\/1\.[01] \d{3}/g)?.length ?? 0;
};

/** As any other client, whatever came before. */
const expectWell = async (): Promise<void> => {
  const mark = `mk-${connections++}-0-km`;
  const answer = await fetch(`${ground.url}/wire/v1/mirror?${mark}`, { method: "POST", body: mark });
  expect(answer.status).toBe(200);
  const { url, body } = (await answer.json()) as { url: string; body: string };
  expect([new URL(url).search, body]).toEqual([`?${mark}`, mark]);
};

test(
  "whatever clients send, others are answered, nobody hears of another's request, and memory stays bounded",
  async () => {
    const batch = fc.array(hostileConnection, { minLength: AT_ONCE, maxLength: AT_ONCE });
    await fc.assert(
      fc.asyncProperty(batch, async (all) => {
        const others = Array.from({ length: OTHERS }, expectWell);
        await Promise.all([...all.map(tryOne), ...others]);
        await expectWell();
      }),
      { seed: SEED, numRuns: BATCHES, endOnFailure: true },
    );
    const resident = ground.residentBytes() ?? 0;
    console.info(
      `${sent} requests, ${answered} answers, ${repeated} marks, ${Math.round(resident / 1e6)} MB`,
    );
    expect(resident).toBeLessThan(RESIDENT_BYTES);
    expect(sent).toBeGreaterThan(BATCHES * AT_ONCE);
    expect(answered).toBeGreaterThan(sent / 4);
    // Else nothing would be found where one is told of another.
    expect(repeated).toBeGreaterThan(sent / 20);
  },
  60_000 + BATCHES * 200,
);
