import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { replayableBody } from "./replayable-body.ts";

const never = new AbortController().signal;

/** A body that comes in these chunks, and what was done with it. */
const source = (chunks: readonly Uint8Array[], ending: "closes" | "breaks" | "hangs" = "closes") => {
  const seen = { pulled: 0, cancelled: undefined as unknown };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[seen.pulled];
        if (chunk) {
          seen.pulled++;
          return controller.enqueue(chunk);
        }
        if (ending === "closes") return controller.close();
        if (ending === "breaks") return controller.error(new Error("broken off"));
        return new Promise<never>(() => undefined);
      },
      cancel(reason) {
        seen.cancelled = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, seen };
};

const bytesOf = (length: number, from = 0) => Uint8Array.from({ length }, (_, index) => (from + index) % 251);
const read = (opened: BodyInit | null) => new Response(opened).bytes();
const request = (body: ReadableStream<Uint8Array> | null, contentLength?: string) => ({
  body,
  headers: new Headers(contentLength === undefined ? {} : { "content-length": contentLength }),
});

test("no body is sent as often as one likes", async () => {
  const body = await replayableBody(request(null), { bytesMax: 10, signal: never });
  expect(body.replayable).toBe(true);
  expect([body.open(), body.open()]).toEqual([{ body: null }, { body: null }]);
});

test("a body up to the bound is sent twice, the same both times", async () => {
  const { body } = source([bytesOf(4), bytesOf(6, 4)]);
  const kept = await replayableBody(request(body), { bytesMax: 10, signal: never });
  expect(kept.replayable).toBe(true);
  expect(await read(kept.open().body)).toEqual(bytesOf(10));
  expect(await read(kept.open().body)).toEqual(bytesOf(10));
});

test("one byte more streams on, whole and in order, and says so", async () => {
  const { body } = source([bytesOf(4), bytesOf(7, 4), bytesOf(20, 11)]);
  const kept = await replayableBody(request(body), { bytesMax: 10, signal: never });
  expect(kept.replayable).toBe(false);
  expect(kept.open()).toMatchObject({ duplex: "half" });
  expect(await read(kept.open().body)).toEqual(bytesOf(31));
});

test("a body that is said to be larger is not touched", async () => {
  const { body, seen } = source([bytesOf(4)]);
  const kept = await replayableBody(request(body, "11"), { bytesMax: 10, signal: never });
  expect(kept.replayable).toBe(false);
  expect(kept.open().body).toBe(body);
  expect(seen.pulled).toBe(0);
});

test.each(["0", "3", "9", "-5", "nonsense", ""])(
  "a body that is longer than its Content-Length %j loses nothing",
  async (length) => {
    const { body } = source([bytesOf(8), bytesOf(8, 8), bytesOf(8, 16)]);
    const kept = await replayableBody(request(body, length), { bytesMax: 10, signal: never });
    expect(kept.replayable).toBe(false);
    expect(await read(kept.open().body)).toEqual(bytesOf(24));
  },
);

test("a body that is shorter than its Content-Length is sent as it came", async () => {
  const { body } = source([bytesOf(3)]);
  const kept = await replayableBody(request(body, "9"), { bytesMax: 10, signal: never });
  expect(await read(kept.open().body)).toEqual(bytesOf(3));
});

test("beyond the bound nothing is read before it is wanted", async () => {
  const { body, seen } = source(Array.from({ length: 100 }, (_, n) => bytesOf(4, n * 4)));
  const kept = await replayableBody(request(body), { bytesMax: 10, signal: never });
  expect(seen.pulled).toBe(3);
  const reader = (kept.open().body as ReadableStream<Uint8Array>).getReader();
  for (let n = 0; n < 5; n++) await reader.read();
  expect(seen.pulled).toBeLessThanOrEqual(6);
});

test("an attempt that gives up a streaming body gives up its source", async () => {
  const { body, seen } = source([bytesOf(20), bytesOf(20)]);
  const kept = await replayableBody(request(body), { bytesMax: 10, signal: never });
  await (kept.open().body as ReadableStream<Uint8Array>).cancel("no more");
  expect(seen.cancelled).toBe("no more");
});

describe("a body that breaks off", () => {
  it("within the bound does so for the upstream, too, after what had come", async () => {
    const { body } = source([bytesOf(4)], "breaks");
    const kept = await replayableBody(request(body), { bytesMax: 10, signal: never });
    expect(kept.replayable).toBe(false);
    const reader = (kept.open().body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).value).toEqual(bytesOf(4));
    await expect(reader.read()).rejects.toThrow("broken off");
  });

  it("beyond the bound does so as well", async () => {
    const { body } = source([bytesOf(20)], "breaks");
    const kept = await replayableBody(request(body), { bytesMax: 10, signal: never });
    await expect(read(kept.open().body)).rejects.toThrow("broken off");
  });
});

describe("a body that does not come", () => {
  it("is waited for until the signal, and is never taken for a whole one", async () => {
    const { body, seen } = source([bytesOf(4)], "hangs");
    const stop = new AbortController();
    const waiting = replayableBody(request(body), { bytesMax: 10, signal: stop.signal });
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error("time is up"));
    const kept = await waiting;
    expect(kept.replayable).toBe(false);
    await expect(read(kept.open().body)).rejects.toThrow("time is up");
    expect(seen.cancelled).toMatchObject({ message: "time is up" });
  });

  it("is not waited for when the signal has aborted before", async () => {
    const kept = await replayableBody(request(source([], "hangs").body), {
      bytesMax: 10,
      signal: AbortSignal.abort(new Error("too late")),
    });
    await expect(read(kept.open().body)).rejects.toThrow("too late");
  });
});

test("whatever the chunks, the bound and the Content-Length, every byte arrives once and in order", async () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 });
  const said = fc.option(fc.integer({ min: 0, max: 200 }).map(String), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(
      lengths,
      fc.integer({ min: 0, max: 120 }),
      said,
      async (all, bytesMax, contentLength) => {
        let from = 0;
        const chunks = all.map((length) => {
          from += length;
          return bytesOf(length, from - length);
        });
        const kept = await replayableBody(request(source(chunks).body, contentLength), {
          bytesMax,
          signal: never,
        });
        expect(kept.replayable).toBe(from <= bytesMax && Number(contentLength ?? 0) <= bytesMax);
        expect(await read(kept.open().body)).toEqual(bytesOf(from));
        if (kept.replayable) expect(await read(kept.open().body)).toEqual(bytesOf(from));
      },
    ),
    { numRuns: 300 },
  );
});
