import { describe, expect, test } from "vitest";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { type Behaviour, gatewayInVirtualTime, unreachable } from "./gateway-in-virtual-time.ts";
import type { WrittenPolicy } from "./policy-schema.ts";

/** One failure is enough for each of them. */
const STRICT: WrittenPolicy = {
  deadlineMs: 100,
  breaker: { minimumCalls: 1 },
  outliers: { consecutiveFailures: 1 },
  throttle: {},
};
const OFTEN = 40;

const gateway = (policy: WrittenPolicy = {}) =>
  gatewayInVirtualTime(virtualTime(), { ...STRICT, ...policy }, () => 0);

const sending = (body: ReadableStream, headers: Record<string, string> = {}): RequestInit =>
  ({ method: "POST", body, headers, duplex: "half" }) as RequestInit;
const slow = () =>
  new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(3)),
    pull: () => new Promise(() => undefined),
  });
const broken = () =>
  new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(3)),
    pull: (controller) => controller.error(new TypeError("Network connection lost.")),
  });
/** Read whole before anybody is asked. */
const SMALL = { "content-length": "100" };
const LARGE = { "content-length": "100000" };
const problemOf = (text: string) => (JSON.parse(text) as { type: string }).type;

const reads: Behaviour = async (request) => new Response(`${(await request.bytes()).byteLength}`);
/** As a service whose framework answers whatever goes wrong. */
const readsAndTells: Behaviour = (request) =>
  request.bytes().then(
    () => new Response("read"),
    () => new Response("it went wrong", { status: 500 }),
  );
const never = () => new Promise<Response>(() => undefined);

describe.each([
  ["of a declared length", LARGE],
  ["of an unknown length", {}],
])("a streamed body %s", (_, headers) => {
  test.each([
    ["does not answer", reads],
    ["answers that something went wrong", readsAndTells],
  ])("that breaks off is the client's doing, whose service %s", async (__, behaviour) => {
    const { instances, ask } = gateway({
      fallback: { steps: [{ answer: { status: 200, body: "instead" } }] },
    });
    instances({ a: behaviour, b: behaviour });
    for (let n = 0; n < OFTEN; n++) {
      const { status, text } = await ask(sending(broken(), headers));
      expect([status, problemOf(text)]).toEqual([400, "/problems/malformed_request"]);
    }
    for (let n = 0; n < 4; n++)
      expect(await ask()).toMatchObject({ status: 200, text: expect.not.stringMatching("instead") });
  });

  test("that does not come while the service waits for it makes the client late, not the service", async () => {
    const { instances, ask, asked } = gateway();
    instances({ a: reads, b: reads });
    for (let n = 0; n < OFTEN; n++) {
      const { status, text } = await ask(sending(slow(), headers));
      expect([status, problemOf(text)]).toEqual([504, "/problems/deadline_exceeded"]);
      expect(text).toContain("Reading the body");
    }
    expect(asked).toHaveLength(OFTEN);
    for (let n = 0; n < 4; n++) expect((await ask()).status).toBe(200);
  });

  test("that the service does not take in time makes the service late", async () => {
    const { instances, ask } = gateway();
    instances({ a: never });
    expect((await ask(sending(slow(), headers))).status).toBe(504);
    expect((await ask()).status).toBe(503);
  });

  test("that has not come yet excuses nobody who is not there, or fails", async () => {
    for (const bad of [unreachable, 500]) {
      const { instances, ask } = gateway();
      instances({
        a: async (request) => {
          request.body?.getReader().read();
          return typeof bad === "number" ? new Response("", { status: bad }) : bad();
        },
      });
      expect((await ask(sending(slow(), headers))).status).toBe(bad === 500 ? 500 : 502);
      expect((await ask()).status).toBe(503);
    }
  });

  test("arrives whole", async () => {
    const { instances, ask } = gateway();
    instances({ a: reads });
    const whole = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 4; n++) controller.enqueue(new Uint8Array(25_000));
        controller.close();
      },
    });
    expect(await ask(sending(whole, headers))).toMatchObject({ status: 200, text: "100000" });
  });
});

test.each([
  ["to be sent again", "PUT", {}],
  ["because it is small", "POST", SMALL],
  ["because it is small, and could be sent again", "PUT", SMALL],
])(
  "a body that is read first, %s, and breaks off or is late, is refused before anybody is asked",
  async (_, method, headers) => {
    const { instances, ask, asked } = gateway();
    instances({ a: reads });
    for (let n = 0; n < OFTEN; n++) {
      const cut = await ask({ ...sending(broken(), headers), method });
      expect([cut.status, problemOf(cut.text)]).toEqual([400, "/problems/malformed_request"]);
      const late = await ask({ ...sending(slow(), headers), method });
      expect([late.status, problemOf(late.text)]).toEqual([504, "/problems/deadline_exceeded"]);
    }
    expect(asked).toEqual([]);
    expect((await ask()).status).toBe(200);
  },
);

test("a body that is too large to be kept, and breaks off then, is the client's doing", async () => {
  const { instances, ask } = gateway({ retry: { bodyBytesMax: 2 } });
  instances({ a: reads });
  for (let n = 0; n < OFTEN; n++)
    expect((await ask({ ...sending(broken()), method: "PUT" })).status).toBe(400);
  expect((await ask()).status).toBe(200);
});

test("broken bodies pay for nobody's retry", async () => {
  const off = { breaker: false, outliers: false, throttle: false } as const;
  const { instances, ask, asked } = gateway({
    ...off,
    retry: { budget: { ratio: 0.5, perSecond: 0, cap: 1 } },
  });
  instances({ a: 502 });
  await ask();
  expect(asked.splice(0)).toHaveLength(2);
  instances({ a: reads });
  for (let n = 0; n < OFTEN; n++) await ask(sending(broken(), LARGE));
  instances({ a: 502 });
  asked.splice(0);
  await ask();
  expect(asked).toHaveLength(1);
});

test("a small body that is read first is sent again only as far as the policy keeps bodies for that", async () => {
  const { instances, ask, asked, configure } = gateway({ breaker: false, retry: { bodyBytesMax: 10 } });
  instances({ a: 502 });
  const ten = { method: "PUT", body: "x".repeat(10), headers: { "content-length": "10" } };
  await ask(ten);
  expect(asked.splice(0)).toHaveLength(2);
  configure({ breaker: false, retry: { bodyBytesMax: 9 } });
  await ask(ten);
  expect(asked).toHaveLength(1);
});
