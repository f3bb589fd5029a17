/** One trace from the client's `traceparent` to the last projection, at the monitor and at any OTLP receiver. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { type ReceivedSpan, telemetryReceiver } from "../suites/telemetry-receiver.ts";
import { eventually, expectStatus, type Shop, shopOf, textOf } from "./shop.ts";

/** What the two sources of spans have in common. */
interface Span {
  readonly spanId: string;
  readonly parentSpanId?: string | null | undefined;
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const CLIENT_SPAN = "b7ad6b7169203331";
const SPANS_MS = 15_000;

/** Who must take part in an order, as `service kind name`; a confirmed one passes all of them. */
const STEPS = [
  "gateway server POST /orders/v1/*",
  "gateway client POST",
  "orders server POST /orders/v1/orders",
  "orders client GET",
  "catalog server GET /catalog/v1/products",
  "orders internal orders commands execute",
  "orders producer publish log-orders",
  "orders consumer project log-orders",
  "orders consumer process log-orders",
  "orders client BATCH orders",
  "inventory consumer process log-orders",
  "inventory producer publish log-inventory",
  "inventory consumer project log-inventory",
  "inventory client BATCH inventory",
  "orders consumer process log-inventory",
  "payments consumer process log-orders",
  "payments client POST",
  "payments producer publish log-payments",
  "payments consumer project log-payments",
  "payments client BATCH payments",
  "orders consumer process log-payments",
];

const stepOf = ({ service, kind, name }: Span) => `${service} ${kind} ${name}`;

const expectEveryStep = (spans: readonly Span[]): void => {
  expect(spans.map(stepOf)).toEqual(expect.arrayContaining(STEPS));
  // Each commit of the saga is projected, the order's three and the two of the process that waits for its payment.
  expect(spans.filter((span) => stepOf(span) === "orders consumer project log-orders")).toHaveLength(5);
};

/** Every span hangs below the client's by spans that are there. */
const expectOneTree = (spans: readonly Span[]): void => {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const roots = spans.filter(({ parentSpanId }) => !ids.has(parentSpanId ?? ""));
  expect(roots.map((root) => [stepOf(root), root.parentSpanId])).toEqual([[STEPS[0], CLIENT_SPAN]]);
};

/** By the conventions for HTTP, messaging and databases: what each kind of span must say. */
const expectConventions = (spans: readonly Span[]): void => {
  for (const { kind, name, attributes } of spans) {
    if (attributes["messaging.system"] !== undefined) {
      expect(attributes["messaging.system"]).toBe("nats");
      expect(attributes["messaging.operation.type"]).toBe(kind === "producer" ? "send" : "process");
      const { "messaging.operation.name": operation, "messaging.destination.name": log } = attributes;
      expect(name).toBe(`${operation} ${log}`);
      if (kind === "consumer")
        expect(attributes["messaging.consumer.group.name"]).toEqual(expect.any(String));
    } else if (attributes["db.system.name"] !== undefined) {
      expect(kind).toBe("client");
      const { "db.operation.name": operation, "db.namespace": database } = attributes;
      expect(name).toBe(attributes["db.query.summary"] ?? `${operation} ${database}`);
    } else if (kind === "server" || kind === "client") {
      expect(attributes).toMatchObject({
        "http.request.method": name.split(" ")[0],
        "http.response.status_code": expect.any(Number),
        "server.address": expect.any(String),
      });
      const place = kind === "server" ? ["url.path", "url.scheme", "http.route"] : ["url.full"];
      for (const attribute of place) expect(attributes[attribute]).toEqual(expect.any(String));
    } else expect(kind).toBe("internal");
  }
};

const placeTraced = async (shop: Shop, traceId: string): Promise<string> => {
  // A sku of its own: the price of a known one would not be asked for.
  const sku = `tea-${traceId}`;
  await shop.offer(sku, { amount: 5, pieces: 10 });
  const headers = { traceparent: `00-${traceId}-${CLIENT_SPAN}-01` };
  const placed = expectStatus(await shop.place([{ sku, quantity: 1 }], headers), 202);
  const order = await shop.settled(textOf(placed.body, "orderId"));
  expect(order.status).toBe("confirmed");
  return textOf(order, "orderId");
};

describe("by default, at the monitor", () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  let system: TestSystem;
  let shop: Shop;
  let orderId: string;
  beforeAll(async () => {
    system = await startTestSystem();
    shop = shopOf(system);
    orderId = await placeTraced(shop, traceId);
  });
  afterAll(() => system?.close());

  test("an order is one tree of spans through every service", async () => {
    const spans = await eventually(async () => {
      const { body } = expectStatus(await shop.request(`/monitor/api/traces/${traceId}`), 200);
      const found = body?.spans as Span[];
      expectEveryStep(found);
      expectOneTree(found);
      return found;
    }, SPANS_MS);
    expectConventions(spans);
  });

  test("its pages show the trace, found by the order's id", async () => {
    const list = await eventually(async () => {
      const answer = expectStatus(await shop.request(`/monitor/?q=${orderId}`), 200);
      expect(answer.text).toContain(`/monitor/traces/${traceId}`);
      return answer;
    }, SPANS_MS);
    expect(list.headers.get("content-type")).toContain("text/html");
    const page = expectStatus(await shop.request(`/monitor/traces/${traceId}`), 200);
    for (const step of [
      "process log-orders",
      "process log-payments",
      "project log-orders",
      "BATCH payments",
    ]) {
      expect(page.text).toContain(step);
    }
  });

  test("a request that its client does not sample is recorded nowhere", async () => {
    const unsampled = "4bf92f3577b34da6a3ce929d0e0e4736";
    const headers = { traceparent: `00-${unsampled}-${CLIENT_SPAN}-00` };
    const placed = await shop.place([{ sku: `tea-${traceId}`, quantity: 1 }], headers);
    await shop.settled(textOf(expectStatus(placed, 202).body, "orderId"));
    const marker = "5bf92f3577b34da6a3ce929d0e0e4736";
    await placeTraced(shop, marker);
    await eventually(async () => {
      const { body } = expectStatus(await shop.request(`/monitor/api/traces/${marker}`), 200);
      expectEveryStep(body?.spans as Span[]);
    }, SPANS_MS);
    expectStatus(await shop.request(`/monitor/api/traces/${unsampled}`), 404);
  });
});

describe("at the receiver of OTEL_EXPORTER_OTLP_ENDPOINT", () => {
  const traceId = "1bf7651916cd43dd8448eb211c80319c";
  const receiver = telemetryReceiver();
  let server: Server;
  let system: TestSystem;
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { url, method = "GET" } = request;
      const answer = await receiver.handle(
        new Request(`http://receiver${url}`, { method, body: Buffer.concat(chunks) }),
      );
      response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    system = await startTestSystem({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` } });
  });
  afterAll(async () => {
    await system?.close();
    server?.close();
  });

  const KINDS = ["", "internal", "server", "client", "producer", "consumer"];
  const spanOf = ({ kind, resource, ...span }: ReceivedSpan): Span => ({
    ...span,
    kind: KINDS[kind] ?? "",
    service: String(resource["service.name"]),
  });

  test("the same tree arrives as OTLP that a strict collector takes", async () => {
    await placeTraced(shopOf(system), traceId);
    const inTrace = (spans: ReceivedSpan[]) => spans.filter((span) => span.traceId === traceId).map(spanOf);
    const holds = (spans: ReceivedSpan[]): boolean => {
      try {
        expectEveryStep(inTrace(spans));
        expectOneTree(inTrace(spans));
        return true;
      } catch {
        return false;
      }
    };
    const spans = inTrace(await receiver.received(holds));
    expectEveryStep(spans);
    expectConventions(spans);
  });
});
