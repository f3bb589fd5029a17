import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { fault } from "./fault.ts";
import { faultSchema, type WrittenFault } from "./fault-schema.ts";

/** @param draws what chance says, in order; 0.5 after them */
const ask = async (
  written: WrittenFault,
  { header, draws = [] }: { header?: string; draws?: number[] } = {},
) => {
  const waits: number[] = [];
  let sent = 0;
  const chances = [...draws];
  const part = fault(faultSchema.parse(written), {
    random: () => chances.shift() ?? 0.5,
    sleep: async (ms) => void waits.push(ms),
  });
  const handler = part(async () => {
    sent++;
    return new Response("goods");
  });
  const exchange = fakeExchange(
    "/shop/v1/x",
    header === undefined ? {} : { headers: { "Skerry-Fault": header } },
  );
  const answer = await answered(handler, exchange);
  return { status: answer.status, mark: answer.headers.get("skerry-fault"), waits, sent, answer };
};

describe("a share of the requests", () => {
  test("waits, goes on, and says so", async () => {
    const delay = { ms: 250, percentage: 10 };
    expect(await ask({ delay }, { draws: [0.0999] })).toMatchObject({
      status: 200,
      mark: "delay",
      waits: [250],
      sent: 1,
    });
    expect(await ask({ delay }, { draws: [0.1] })).toMatchObject({
      status: 200,
      mark: null,
      waits: [],
      sent: 1,
    });
  });

  test("waits for a time drawn from a range, both ends included", async () => {
    const delay = { ms: 100, toMs: 200, percentage: 100 };
    expect((await ask({ delay }, { draws: [0, 0] })).waits).toEqual([100]);
    expect((await ask({ delay }, { draws: [0, 0.9999] })).waits).toEqual([200]);
  });

  test("gets a problem with the status that is ordered, and its service is not asked", async () => {
    const failed = await ask({ abort: { status: 429, percentage: 100 } });
    expect(failed).toMatchObject({ status: 429, mark: "abort", sent: 0 });
    expect(await failed.answer.json()).toMatchObject({
      type: "/problems/fault_injected",
      status: 429,
      instance: "/shop/v1/x",
    });
  });

  test("is drawn for each fault by itself, and may get both", async () => {
    const written = { delay: { percentage: 50 }, abort: { percentage: 50 } };
    expect((await ask(written, { draws: [0, 0] })).mark).toBe("delay, abort");
    expect((await ask(written, { draws: [0, 0.9] })).mark).toBe("delay");
    expect((await ask(written, { draws: [0.9, 0] })).mark).toBe("abort");
  });
});

describe("whoever carries the header", () => {
  test("gets what it orders, where that is allowed", async () => {
    expect(await ask({ byHeader: true }, { header: "delay=20, abort=502" })).toMatchObject({
      status: 502,
      mark: "delay, abort",
      waits: [20],
    });
    expect(await ask({ byHeader: true, abort: { status: 500 } }, { header: "abort" })).toMatchObject({
      status: 500,
    });
    expect(await ask({ byHeader: true }, { header: "delay" })).toMatchObject({ status: 200, waits: [1_000] });
  });

  test("gets nothing of it where that is not allowed", async () => {
    const written = { delay: { percentage: 0 } };
    expect(await ask(written, { header: "abort" })).toMatchObject({ status: 200, mark: null, sent: 1 });
  });

  test("does not wait for longer than may be, nor get a success", async () => {
    expect((await ask({ byHeader: true }, { header: "delay=999999" })).waits).toEqual([LIMITS.faultDelayMs]);
    expect(await ask({ byHeader: true }, { header: "abort=200" })).toMatchObject({
      status: 200,
      mark: null,
      sent: 1,
    });
  });

  test("is answered, whatever it carries", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string().filter((text) => /^[\x20-\x7e]*$/.test(text)),
        async (header) => {
          const { status, waits } = await ask({ byHeader: true }, { header });
          expect(status === 200 || (status >= 400 && status <= 599)).toBe(true);
          for (const ms of waits) expect(ms).toBeLessThanOrEqual(LIMITS.faultDelayMs);
        },
      ),
    );
  });
});

test("a client that goes away during its wait is no error", async () => {
  const part = fault(
    { delay: { percentage: 100 } },
    {
      random: () => 0,
      sleep: () => Promise.reject(new DOMException("gone", "AbortError")),
    },
  );
  const answer = await part(async () => new Response("goods"))(fakeExchange("/x"));
  expect(answer.status).toBe(200);
});

test("faults without anybody who gets them, and ranges that end before they begin, are no configuration", () => {
  expect(faultSchema.safeParse({ delay: { ms: 5 } }).success).toBe(false);
  expect(faultSchema.safeParse({ delay: { ms: 5, toMs: 4, percentage: 1 } }).success).toBe(false);
  expect(faultSchema.safeParse({ delay: { ms: LIMITS.faultDelayMs + 1, percentage: 1 } }).success).toBe(
    false,
  );
});

describe("where it happens", () => {
  const refusedAs = async (at?: "service" | "client") => {
    const part = fault(
      { abort: { percentage: 100 }, ...(at && { at }) },
      { random: () => 0, sleep: async () => {} },
    );
    const exchange = fakeExchange("/shop/v1/x");
    await part(async () => new Response("goods"))(exchange);
    return exchange.refusal?.code;
  };

  test("a fault of the service counts as its failure for the parts around, one for clients does not", async () => {
    expect(await refusedAs()).toBe("unreachable");
    expect(await refusedAs("service")).toBe("unreachable");
    expect(await refusedAs("client")).toBeUndefined();
  });
});
