import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Exchange, Handler } from "../../exchange.ts";
import { fakeExchange } from "../../fake-exchange.ts";
import type { SendElsewhere } from "../fallback/elsewhere.ts";
import { copiedBody } from "./copied-body.ts";
import { mirror } from "./mirror.ts";
import { mirrorSchema, type WrittenMirror } from "./mirror-schema.ts";

const TO = { service: "shadow" };

const given = (
  written: Partial<WrittenMirror> = {},
  { elsewhere, random = () => 0 }: { elsewhere?: SendElsewhere; random?: () => number } = {},
) => {
  const at = { ms: 0 };
  const timers: (() => void)[] = [];
  const mirrored: { exchange: Exchange; body: string; destination: unknown }[] = [];
  const seen: string[] = [];
  const part = mirror(mirrorSchema.parse({ to: TO, ...written }), {
    clock: () => at.ms,
    random,
    sleep: async () => {},
    timer: (_, run) => {
      timers.push(run);
      return () => {};
    },
    async sendElsewhere(exchange, destination, withinMs) {
      mirrored.push({ exchange, destination, body: await exchange.request.clone().text() });
      return elsewhere?.(exchange, destination, withinMs) ?? new Response("ignored");
    },
  });
  const next: Handler = async (exchange) => {
    seen.push(await exchange.request.text());
    return new Response("goods");
  };
  const ask = async (init: RequestInit = {}) => {
    const exchange = fakeExchange("/shop/v1/x", init);
    const answer = await part(next)(exchange);
    return { exchange, answer };
  };
  return { at, timers, mirrored, seen, part, next, ask };
};

const settled = (exchange: { afterwards: Promise<unknown>[] }) => Promise.all(exchange.afterwards);

describe("a mirrored request", () => {
  test("goes to somebody else, too, and says what it is", async () => {
    const { ask, mirrored, seen } = given();
    const { exchange, answer } = await ask({ method: "POST", body: "order", headers: { "x-a": "b" } });
    expect(await answer.text()).toBe("goods");
    await settled(exchange);
    expect(seen).toEqual(["order"]);
    expect(mirrored).toMatchObject([{ destination: TO, body: "order" }]);
    const twin = mirrored[0]?.exchange;
    expect([twin?.request.method, twin?.request.headers.get("x-a")]).toEqual(["POST", "b"]);
    expect(twin?.onward).toEqual([{ kind: "set", name: "skerry-mirror", value: "1" }]);
    expect(exchange.onward).toBeUndefined();
  });

  test("has its answer thrown away unread", async () => {
    const thrown: string[] = [];
    const { ask } = given(
      {},
      {
        elsewhere: async () => new Response(new ReadableStream({ cancel: () => void thrown.push("away") })),
      },
    );
    await settled((await ask()).exchange);
    expect(thrown).toEqual(["away"]);
  });

  test("that fails, or never ends, changes nothing for the client", async () => {
    const broken = given(
      {},
      {
        elsewhere: () => {
          throw new Error("broken");
        },
      },
    );
    const { exchange, answer } = await broken.ask();
    expect(answer.status).toBe(200);
    await settled(exchange);
    const silent = given({}, { elsewhere: () => new Promise(() => {}) });
    const { exchange: waiting, answer: other } = await silent.ask();
    expect(await other.text()).toBe("goods");
    for (const run of silent.timers) run();
    await settled(waiting);
    expect(silent.mirrored[0]?.exchange.request.signal.aborted).toBe(true);
  });

  test("goes on when its client goes away", async () => {
    const { ask, mirrored } = given();
    const client = new AbortController();
    const { exchange } = await ask({ signal: client.signal });
    client.abort();
    await settled(exchange);
    expect(mirrored[0]?.exchange.request.signal.aborted).toBe(false);
  });
});

describe("not mirrored is", () => {
  test("who is not drawn", async () => {
    const draws = [0.1, 0.0999];
    const { ask, mirrored } = given({ percentage: 10 }, { random: () => draws.shift() ?? 1 });
    for (const _ of [1, 2]) await settled((await ask()).exchange);
    expect(mirrored).toHaveLength(1);
  });

  test("a connection that changes its protocol", async () => {
    const { ask } = given();
    expect((await ask({ headers: { upgrade: "websocket" } })).exchange.afterwards).toEqual([]);
  });

  test("a body beyond the bound, declared or found, which its service gets whole", async () => {
    const { ask, mirrored, seen } = given({ bodyBytesMax: 4 });
    const declared = await ask({ method: "POST", body: "12345", headers: { "content-length": "5" } });
    expect(declared.exchange.afterwards).toEqual([]);
    const found = await ask({ method: "POST", body: "12345" });
    await settled(found.exchange);
    expect([seen, mirrored]).toEqual([["12345", "12345"], []]);
  });

  test("a body that its service never reads", async () => {
    const { part, mirrored, timers } = given();
    const exchange = fakeExchange("/shop/v1/x", { method: "POST", body: "unread" });
    await part(async () => new Response("enough"))(exchange);
    for (const run of timers) run();
    await settled(exchange);
    expect(mirrored).toEqual([]);
  });

  test("what comes while as many are under way as may be; those that never end make room with time", async () => {
    const { ask, at } = given({ atOnce: 2, withinMs: 1_000 }, { elsewhere: () => new Promise(() => {}) });
    const mirroredNow = async () => (await ask()).exchange.afterwards.length;
    expect([await mirroredNow(), await mirroredNow(), await mirroredNow()]).toEqual([1, 1, 0]);
    at.ms += 3_100;
    expect(await mirroredNow()).toBe(1);
  });
});

test("the client's way is begun before the mirror's, and does not wait for it", async () => {
  const order: string[] = [];
  const { part } = given(
    {},
    {
      elsewhere: async () => {
        order.push("mirror");
        return undefined;
      },
    },
  );
  const exchange = fakeExchange("/x");
  await part((_) => {
    order.push("service");
    return Promise.resolve(new Response());
  })(exchange);
  await settled(exchange);
  expect(order).toEqual(["service", "mirror"]);
});

describe("a copied body", () => {
  test("is whole for its reader, whatever its chunks, and kept only within the bound", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 20 })),
        fc.nat({ max: 60 }),
        async (chunks, bytesMax) => {
          const source = new ReadableStream<Uint8Array>({
            start(controller) {
              for (const chunk of chunks) controller.enqueue(chunk.slice());
              controller.close();
            },
          });
          const { body, copy } = copiedBody(source, bytesMax);
          const whole = chunks.flatMap((chunk) => [...chunk]);
          expect([...new Uint8Array(await new Response(body).arrayBuffer())]).toEqual(whole);
          const kept = await copy;
          if (whole.length > bytesMax) expect(kept).toBeUndefined();
          else expect([...(kept ?? [-1])]).toEqual(whole);
        },
      ),
    );
  });

  test("is read no sooner than its reader wants it", async () => {
    let pulls = 0;
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulls++;
          controller.enqueue(new Uint8Array(1));
        },
      },
      { highWaterMark: 0 },
    );
    const reader = copiedBody(source, 100).body.getReader();
    await new Promise((resolve) => setImmediate(resolve));
    expect(pulls).toBe(0);
    await reader.read();
    expect(pulls).toBe(1);
  });

  test("that breaks off, or is given up, is no copy", async () => {
    const broken = copiedBody(
      new ReadableStream({ pull: (controller) => controller.error(new Error("cut")) }),
      9,
    );
    await expect(new Response(broken.body).text()).rejects.toThrow("cut");
    expect(await broken.copy).toBeUndefined();
    const left = copiedBody(new ReadableStream(), 9);
    await left.body.cancel();
    expect(await left.copy).toBeUndefined();
  });
});
