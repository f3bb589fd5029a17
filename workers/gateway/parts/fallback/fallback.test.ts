import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import type { Exchange } from "../../exchange.ts";
import { refusal } from "../../exchange.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import type { SendRefusal } from "../../policy/refusal.ts";
import { elsewhereUrl, type SendElsewhere } from "./elsewhere.ts";
import { fallback } from "./fallback.ts";
import { fallbackSchema, type WrittenFallback } from "./fallback-schema.ts";

const STATIC = { answer: { body: '{"items":[]}', headers: { "x-from": "us" } } };
const OTHER = { service: "other", major: 2 };

interface Given {
  readonly written: WrittenFallback;
  readonly fails?: number | SendRefusal | Response;
  readonly init?: RequestInit;
  /** How long the service takes to fail. */
  readonly tookMs?: number;
  readonly stale?: (exchange: Exchange, maxStaleSeconds: number) => Response | undefined;
  readonly elsewhere?: SendElsewhere;
  readonly readsBody?: boolean;
}

const ask = async ({ written, fails = 503, init = {}, tookMs = 10, readsBody, ...given }: Given) => {
  let now = 1_000;
  const asked: { destination: unknown; withinMs: number; body: string; signal: AbortSignal }[] = [];
  const timers: (() => void)[] = [];
  const cancelled: string[] = [];
  const recorded: Record<string, unknown>[] = [];
  const span = trace.wrapSpanContext({ traceId: "1".repeat(32), spanId: "1".repeat(16), traceFlags: 1 });
  span.setAttributes = (attributes) => {
    recorded.push(attributes);
    return span;
  };
  const timer: Timer = (_, run) => {
    timers.push(run);
    return () => void timers.splice(timers.indexOf(run), 1);
  };
  const part = fallback(fallbackSchema.parse(written), {
    clock: () => now,
    timer,
    deadlineMs: 1_000,
    safeMethods: [],
    ...(given.stale && { stale: given.stale }),
    async sendElsewhere(exchange, destination, withinMs) {
      const { request } = exchange;
      asked.push({ destination, withinMs, body: await request.clone().text(), signal: request.signal });
      return given.elsewhere ? given.elsewhere(exchange, destination, withinMs) : new Response("theirs");
    },
  });
  const handler = part(async (exchange) => {
    now += tookMs;
    if (readsBody) await exchange.request.text();
    if (fails instanceof Response) return fails;
    if (typeof fails === "object") {
      exchange.refusal = fails;
      return refusal(exchange, "unavailable", "none");
    }
    const body = new ReadableStream({ cancel: () => void cancelled.push("failed") });
    return new Response(body, { status: fails, headers: { "content-type": "text/html" } });
  });
  const exchange = fakeExchange("/shop/v1/x?q=1", init, { trace: trace.setSpan(ROOT_CONTEXT, span) });
  const running = answered(handler, exchange);
  return { running, asked, timers, cancelled, recorded, exchange };
};

const outcome = async (given: Given) => {
  const { running, ...rest } = await ask(given);
  const answer = await running;
  return { ...rest, answer, status: answer.status, mark: answer.headers.get("skerry-fallback") };
};

describe("where the service gives no usable answer", () => {
  test("a fixed answer stands in, marked, not to be kept, and the fault is the operator's to see", async () => {
    const { answer, mark, recorded, cancelled } = await outcome({ written: { steps: [STATIC] }, fails: 502 });
    expect([answer.status, mark, answer.headers.get("x-from")]).toEqual([200, "static", "us"]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(await answer.text()).toBe('{"items":[]}');
    expect(recorded).toEqual([{ "skerry.fallback": "static", "skerry.fallback.cause": "502" }]);
    expect(cancelled).toEqual(["failed"]);
  });

  test("another service stands in, and what tells its answers apart is not taken for this one's", async () => {
    const headers = { etag: '"1"', "cache-control": "max-age=60", "x-theirs": "yes" };
    const { answer, mark, asked } = await outcome({
      written: { steps: [OTHER] },
      elsewhere: async () => new Response("theirs", { headers }),
    });
    expect([mark, await answer.text(), answer.headers.get("x-theirs")]).toEqual(["service", "theirs", "yes"]);
    expect([answer.headers.get("cache-control"), answer.headers.get("etag")]).toEqual(["no-store", null]);
    expect(asked).toMatchObject([{ destination: OTHER, withinMs: 990 }]);
  });

  test("a stored answer stands in, as old as may be, with the headers that it was stored with", async () => {
    const bounds: number[] = [];
    const stale = (_: Exchange, seconds: number) => {
      bounds.push(seconds);
      return new Response("old", { headers: { age: "500", "cache-control": "max-age=60" } });
    };
    const steps = [{ cached: {} }, STATIC];
    const { answer, mark } = await outcome({ written: { steps }, stale });
    expect([mark, await answer.text(), answer.headers.get("age")]).toEqual(["cached", "old", "500"]);
    expect(answer.headers.get("cache-control")).toBe("max-age=60");
    await outcome({ written: { steps: [{ cached: { maxStaleSeconds: 9 } }] }, stale });
    expect(bounds).toEqual([3_600, 9]);
  });

  test("steps are taken in order, each only where those before it had nothing", async () => {
    const steps = [{ cached: { maxStaleSeconds: 1 } }, { url: "http://spare" }, OTHER, STATIC];
    const elsewhere: SendElsewhere = async (_, destination) =>
      "url" in destination ? new Response("bad", { status: 500 }) : undefined;
    const { mark, asked } = await outcome({ written: { steps }, stale: () => undefined, elsewhere });
    expect(asked.map(({ destination }) => destination)).toEqual([{ url: "http://spare" }, OTHER]);
    expect(mark).toBe("static");
  });

  test.each<SendRefusal>([
    { code: "unreachable" },
    { code: "late", withinMs: 1 },
    { code: "open", retryAfterMs: 1 },
    { code: "full" },
    { code: "shed" },
    { code: "no_instance" },
  ])("so it is for the refusal $code, of which the parts around see nothing any more", async (fails) => {
    const { mark, exchange } = await outcome({ written: { steps: [STATIC] }, fails });
    expect([mark, exchange.refusal]).toEqual(["static", undefined]);
  });

  test("HEAD gets a fixed answer without its body", async () => {
    const { answer, mark } = await outcome({ written: { steps: [STATIC] }, init: { method: "HEAD" } });
    expect([mark, await answer.text()]).toEqual(["static", ""]);
  });
});

describe("clients see", () => {
  test.each<[string, Given["fails"]]>([
    ["success", 200],
    ["the client's own failure", 404],
    [
      "the service's own word, a 503 that is a problem",
      new Response("{}", { status: 503, headers: { "content-type": "application/problem+json" } }),
    ],
    ["nothing, for the client is gone", { code: "client_gone" }],
  ])("%s as it is", async (_, fails) => {
    const { mark, cancelled } = await outcome({
      written: { steps: [STATIC] },
      ...(fails !== undefined && { fails }),
    });
    expect([mark, cancelled]).toEqual([null, []]);
  });

  test("the failure of what would change something, unless its method is named", async () => {
    const init = { method: "POST" };
    expect(await outcome({ written: { steps: [STATIC] }, init })).toMatchObject({ status: 503, mark: null });
    expect(await outcome({ written: { steps: [STATIC], methods: ["POST"] }, init })).toMatchObject({
      mark: "static",
    });
  });

  test("a problem with Retry-After where nothing stands in", async () => {
    const { answer, mark, recorded, cancelled } = await outcome({
      written: { steps: [OTHER] },
      elsewhere: async () => undefined,
    });
    expect([answer.status, mark, answer.headers.get("retry-after")]).toEqual([503, null, "1"]);
    expect(await answer.json()).toMatchObject({ type: "/problems/unavailable" });
    expect(recorded).toEqual([{ "skerry.fallback": "none", "skerry.fallback.cause": "503" }]);
    expect(cancelled).toEqual(["failed"]);
  });

  test("a problem of the service with Retry-After, where it has none", async () => {
    const fails = new Response("{}", {
      status: 502,
      headers: { "content-type": "application/problem+json" },
    });
    const { answer } = await outcome({ written: { steps: [{ cached: {} }] }, fails });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([502, "1"]);
  });
});

describe("a request goes to somebody else", () => {
  const steps = [OTHER, STATIC];

  test("only within what remains of its deadline", async () => {
    expect((await outcome({ written: { steps }, tookMs: 400 })).asked).toMatchObject([{ withinMs: 600 }]);
    const init = { headers: { "skerry-deadline": "450" } };
    expect((await outcome({ written: { steps }, tookMs: 400, init })).asked).toMatchObject([
      { withinMs: 50 },
    ]);
    expect(await outcome({ written: { steps }, tookMs: 1_000 })).toMatchObject({ asked: [], mark: "static" });
  });

  test("and is given up when that is over; the answer that comes later is let go", async () => {
    const late: string[] = [];
    let answerLate = (_: Response) => {};
    const { running, timers, asked } = await ask({
      written: { steps },
      elsewhere: () =>
        new Promise((resolve) => {
          answerLate = resolve;
        }),
    });
    while (asked.length === 0 || timers.length === 0) await Promise.resolve();
    for (const run of timers) run();
    expect((await running).headers.get("skerry-fallback")).toBe("static");
    expect(asked[0]?.signal.aborted).toBe(true);
    answerLate(new Response(new ReadableStream({ cancel: () => void late.push("let go") })));
    await new Promise((resolve) => setImmediate(resolve));
    expect(late).toEqual(["let go"]);
  });

  test("with its body, where that is small and the request may be sent twice", async () => {
    const init = { method: "PUT", body: "x".repeat(10) };
    const methods = ["PUT", "POST"];
    const kept = await outcome({ written: { steps, methods }, init, readsBody: true });
    expect(kept.asked).toMatchObject([{ body: "x".repeat(10) }]);
    const large = await outcome({ written: { steps, methods, bodyBytesMax: 9 }, init, readsBody: true });
    expect([large.asked, large.mark]).toEqual([[], "static"]);
    const unsafe = await outcome({
      written: { steps, methods },
      init: { ...init, method: "POST" },
      readsBody: true,
    });
    expect([unsafe.asked, unsafe.mark]).toEqual([[], "static"]);
  });

  test("never when it asks for another protocol", async () => {
    expect(
      (await outcome({ written: { steps }, init: { headers: { upgrade: "websocket" } } })).asked,
    ).toEqual([]);
  });

  test("and a step that throws does not keep it from the next one", async () => {
    const elsewhere: SendElsewhere = () => {
      throw new Error("broken");
    };
    expect((await outcome({ written: { steps }, elsewhere })).mark).toBe("static");
  });
});

test("under any steps and faults there is one answer, and a fallback is marked with the first step that had one", async () => {
  const kinds = fc.constantFrom("cached", "service", "static");
  await fc.assert(
    fc.asyncProperty(
      fc.array(kinds, { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom(200, 404, 500, 502, 503),
      async (names, hasStale, hasOther, fails) => {
        const steps = names.map((name) =>
          name === "cached" ? { cached: {} } : name === "service" ? OTHER : STATIC,
        );
        const has: Record<string, boolean> = { cached: hasStale, service: hasOther, static: true };
        const { mark, status } = await outcome({
          written: { steps },
          fails,
          stale: () => (hasStale ? new Response("old") : undefined),
          elsewhere: async () => (hasOther ? new Response("other") : undefined),
        });
        const expected = fails < 500 ? undefined : names.find((name) => has[name]);
        expect(mark).toBe(expected ?? null);
        expect(status).toBe(fails < 500 ? fails : expected ? 200 : 503);
      },
    ),
  );
});

test("a request goes elsewhere by the path's rest, by a path of its own, or behind a URL", () => {
  const url = "http://gateway/shop/v1/x/y?q=1";
  expect(elsewhereUrl(url, { service: "other" }, 3)).toBe("http://gateway/other/v3/x/y?q=1");
  expect(elsewhereUrl(url, { service: "other", path: "/other/v1/z" })).toBe("http://gateway/other/v1/z?q=1");
  expect(elsewhereUrl(url, { url: "https://spare:8080/base/" })).toBe(
    "https://spare:8080/base/shop/v1/x/y?q=1",
  );
  expect(elsewhereUrl(url, { url: "https://spare", path: "/z" })).toBe("https://spare/z?q=1");
});

test("a fixed answer that could not be sent is no configuration", () => {
  const valid = (answer: object) => fallbackSchema.safeParse({ steps: [{ answer }] }).success;
  expect(valid({ status: 204 })).toBe(true);
  expect(valid({ status: 204, body: "x" })).toBe(false);
  expect(valid({ headers: { "content-length": "5" } })).toBe(false);
  expect(valid({ headers: { "cache-control": "max-age=60" } })).toBe(false);
  expect(valid({ headers: { "x-a": "b\r\nc: d" } })).toBe(false);
  expect(valid({ status: 101 })).toBe(false);
});
