import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import type { Exchange, Handler } from "../../exchange.ts";
import { fakeExchange } from "../../fake-exchange.ts";
import { onwardRequest } from "../../onward-request.ts";
import { limits } from "./limits.ts";
import { limitsSchema, type WrittenLimits } from "./limits-schema.ts";

/** A body of unknown length, and how much of it was taken. */
const streamed = (pieces: readonly string[], failing = false) => {
  const taken: string[] = [];
  const left = [...pieces];
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = left.shift();
        if (piece !== undefined) {
          taken.push(piece);
          controller.enqueue(new TextEncoder().encode(piece));
        } else if (failing) controller.error(new TypeError("broken chunk"));
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { taken, init: { method: "POST", body, duplex: "half" } as RequestInit };
};

/** Reads as a service does, from what is sent on; fails when the request is ended. */
const reading: Handler = async (exchange) => {
  const { signal } = exchange.request;
  try {
    return new Response(await onwardRequest(exchange).text());
  } catch {
    return new Response(signal.aborted ? "client gone" : "unreachable", { status: 502 });
  }
};

const ask = (written: WrittenLimits, exchange: Exchange, next = reading) => limits(written)(next)(exchange);

const problemOf = async (answer: Response) => ((await answer.json()) as { type: string }).type;

describe("a body of a declared length", () => {
  test.each([
    [10, 200],
    [11, 413],
  ])("of %d bytes under a bound of 10 gets %d", async (length, status) => {
    const init = { method: "POST", body: "x".repeat(length), headers: { "content-length": `${length}` } };
    const exchange = fakeExchange("/shop/v1/x", init);
    const { request } = exchange;
    const answer = await ask({ bodyBytes: 10 }, exchange);
    expect(answer.status).toBe(status);
    expect(exchange.request).toBe(request);
    if (status === 413) expect(await problemOf(answer)).toBe("/problems/body_too_large");
  });

  test("is bounded by that of all routes when its own says nothing", async () => {
    const length = (bytes: number) => ({
      method: "POST",
      body: "x",
      headers: { "content-length": `${bytes}` },
    });
    const sent: Handler = async () => new Response("sent");
    const most = LIMITS.requestBodyBytes;
    expect((await ask({}, fakeExchange("/x", length(most)), sent)).status).toBe(200);
    expect((await ask({}, fakeExchange("/x", length(most + 1)), sent)).status).toBe(413);
  });
});

describe("a body of an unknown length", () => {
  test("streams as it is up to its bound, read no sooner than the service asks", async () => {
    const { taken, init } = streamed(["abc", "def", "ghij"]);
    const exchange = fakeExchange("/x", init);
    const answer = await ask({ bodyBytes: 10 }, exchange, async (given) => {
      expect(taken).toEqual([]);
      return reading(given);
    });
    expect(await answer.text()).toBe("abcdefghij");
    expect(exchange.request.signal.aborted).toBe(false);
  });

  test("that goes beyond its bound ends the service's work as a client does that leaves, and gets 413", async () => {
    const { taken, init } = streamed(["abc", "def", "ghijk", "never read"]);
    const exchange = fakeExchange("/x", init);
    const answer = await ask({ bodyBytes: 10 }, exchange);
    expect(answer.status).toBe(413);
    expect(await problemOf(answer)).toBe("/problems/body_too_large");
    expect(exchange.request.signal.aborted).toBe(true);
    expect(taken).not.toContain("never read");
  });

  test("that is not chunked as it should be gets 400, and counts as the client's leaving", async () => {
    const exchange = fakeExchange("/x", streamed(["abc"], true).init);
    const answer = await ask({}, exchange);
    expect(answer.status).toBe(400);
    expect(await problemOf(answer)).toBe("/problems/malformed_request");
    expect(exchange.request.signal.aborted).toBe(true);
  });

  test("that the service does not read is not read, whatever it is", async () => {
    const { taken, init } = streamed(["x".repeat(100)]);
    const answer = await ask({ bodyBytes: 10 }, fakeExchange("/x", init), async () => new Response("early"));
    expect(await answer.text()).toBe("early");
    expect(taken).toEqual([]);
  });

  test("is given whole or refused, however it is cut into pieces", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme-ascii" })),
        fc.nat(60),
        async (pieces, bodyBytes) => {
          const whole = pieces.join("");
          const answer = await ask({ bodyBytes }, fakeExchange("/x", streamed(pieces).init));
          if (whole.length <= bodyBytes) expect(await answer.text()).toBe(whole);
          else expect(answer.status).toBe(413);
        },
      ),
    );
  });
});

test("a request without a body is sent on as it is", async () => {
  const exchange = fakeExchange("/x");
  const { request } = exchange;
  expect((await ask({ bodyBytes: 0 }, exchange)).status).toBe(200);
  expect(exchange.request).toBe(request);
});

test("header fields are bounded by a route where it says so, by number and by bytes", async () => {
  const headers = { a: "1", b: "2", c: "x".repeat(100) };
  const status = async (written: WrittenLimits) =>
    (await ask(written, fakeExchange("/x", { headers }))).status;
  expect(await status({ headerCount: 3 })).toBe(200);
  expect(await status({ headerCount: 2 })).toBe(431);
  expect(await status({ headerBytes: 6 + 6 + 105 })).toBe(200);
  expect(await status({ headerBytes: 6 + 6 + 104 })).toBe(431);
});

test("what is written is held to what can be promised", () => {
  expect(
    limitsSchema.safeParse({ bodyBytes: LIMITS.routeBodyBytes, headerCount: 10, headerBytes: 100 }).success,
  ).toBe(true);
  for (const wrong of [
    { bodyBytes: -1 },
    { bodyBytes: LIMITS.routeBodyBytes + 1 },
    { headerCount: LIMITS.requestHeaderFields + 1 },
    { headerBytes: 0 },
    { other: 1 },
  ]) {
    expect(limitsSchema.safeParse(wrong).success).toBe(false);
  }
});
