import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RETAIL_COLUMNS } from "./demo/retail-rows.ts";
import { main } from "./demo.ts";

type Order = {
  orderId: string;
  customerId: string;
  lines: Line[];
  status: string;
  reason?: string;
  asked: number;
};
type Line = { sku: string; quantity: number };
type Answer = { status: number; body?: object; headers?: Record<string, string> };

/** A shop in one process: an order ends at the second look, a cancellation that came before wins. */
const fakeShop = () => {
  const stock = new Map<string, number>();
  const prices = new Map<string, number>();
  const orders = new Map<string, Order>();
  const byKey = new Map<string, string>();
  const shop = {
    stock,
    prices,
    orders,
    /** Answers given before the shop works, one a request to place an order; status 0 takes the order and breaks the connection. */
    hindrances: [] as Answer[],
    /** Answers given to cancellations before the shop looks at them. */
    refusals: [] as Answer[],
    placings: 0,
    stuck: false,
    /** Breaks the connection of whoever places an order. */
    gone: false,
    minPositions: new Set<string | undefined>(),
  };

  const reserve = (order: Order, lines: Line[]) => {
    const short = lines.some(({ sku, quantity }) => (stock.get(sku) ?? 0) < quantity);
    if (short) Object.assign(order, { status: "rejected", reason: "out_of_stock" });
    else for (const { sku, quantity } of lines) stock.set(sku, (stock.get(sku) ?? 0) - quantity);
  };
  const place = (key: string, { customerId, lines }: { customerId: string; lines: Line[] }): Answer => {
    shop.placings += 1;
    if (shop.gone) return { status: 0 };
    const hindrance = shop.hindrances.shift();
    if (hindrance && hindrance.status !== 0) return hindrance;
    const known = byKey.get(key);
    const orderId = known ?? `order-${orders.size + 1}`;
    if (!known) {
      const order: Order = { orderId, customerId, lines, status: "placed", asked: 0 };
      orders.set(orderId, order);
      byKey.set(key, orderId);
      reserve(order, lines);
    }
    if (hindrance) return hindrance;
    return {
      status: 202,
      body: { orderId, status: "placed" },
      headers: { "skerry-position": `orders=${orders.size}` },
    };
  };
  const look = (order: Order): Answer => {
    if (!shop.stuck && ++order.asked > 1 && order.status === "placed") order.status = "confirmed";
    const shown = order.asked > 1 ? order : { ...order, status: "placed" };
    return { status: 200, body: shown };
  };
  const cancel = (order: Order): Answer => {
    const refusal = shop.refusals.shift();
    if (refusal) return refusal;
    if (order.status === "cancelled")
      return { status: 409, body: { type: "/problems/order_already_cancelled" } };
    if (order.status !== "placed") return { status: 409, body: { title: "Too late" } };
    order.status = "cancelled";
    return { status: 202, body: {} };
  };

  const answer = (request: IncomingMessage, body: string): Answer => {
    const [, service, , , id = "", what] = (request.url ?? "").split("/");
    const header = (name: string) => request.headers[name]?.toString();
    const post = request.method === "POST";
    if (request.url === "/healthz") return { status: 200 };
    if (service === "catalog") {
      prices.set(id, JSON.parse(body).price.amount);
      return { status: 201, body: {} };
    }
    if (service === "inventory" && what === "receipts") {
      stock.set(id, (stock.get(id) ?? 0) + JSON.parse(body).quantity);
      return { status: 201, body: {} };
    }
    if (service === "inventory")
      return stock.has(id) ? { status: 200, body: { available: stock.get(id) } } : { status: 404, body: {} };
    if (post && id === "") return place(header("idempotency-key") ?? "", JSON.parse(body));
    const order = orders.get(id);
    if (!order) return { status: 404, body: {} };
    if (what === "cancellation") return cancel(order);
    shop.minPositions.add(header("skerry-min-position"));
    return look(order);
  };
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { status, body: reply, headers } = answer(request, body);
    if (status === 0) return void response.destroy();
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(reply ? JSON.stringify(reply) : "");
  };
  return { shop, handle };
};

describe("npm run demo", () => {
  let server: Server;
  let url: string;
  let shop: ReturnType<typeof fakeShop>["shop"];
  let folder: string;

  beforeEach(async () => {
    const fake = fakeShop();
    shop = fake.shop;
    server = createServer(fake.handle);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    folder = await mkdtemp(join(tmpdir(), "demo-"));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  const demo = async (...args: string[]) => {
    let now = 1_000;
    const slept: number[] = [];
    const written = { out: "", err: "" };
    const code = await main(["--url", url, ...args], {
      fetch,
      clock: () => now,
      sleep: async (ms) => {
        slept.push(ms);
        now += ms;
      },
      out: { write: (text) => (written.out += text) },
      err: { write: (text) => (written.err += text) },
    });
    return { code, slept, ...written };
  };
  const json = async (...args: string[]) => {
    const { out, ...rest } = await demo(...args, "--json");
    return { report: JSON.parse(out), ...rest };
  };
  const replayOf = async (...rows: string[]) => {
    const path = join(folder, "orders.csv");
    await writeFile(path, `${RETAIL_COLUMNS.join(",")}\n${rows.join("\n")}\n`);
    return json("--orders", path);
  };

  describe("with generated orders", () => {
    it("places them all, sees rejections and cancellations, and adds up", async () => {
      const { report, code } = await json("--count", "100");
      const { placed, confirmed, rejected, rejectedByReason, cancelled } = report.orders;
      expect(code).toBe(0);
      expect(shop.orders.size).toBe(100);
      expect(placed).toBe(100);
      expect(rejectedByReason).toEqual({ out_of_stock: rejected });
      expect(Math.min(confirmed, rejected, cancelled)).toBeGreaterThan(0);
      expect(confirmed + rejected + cancelled).toBe(100);
      expect(report.cancellations).toEqual({ accepted: cancelled, tooLate: 0 });
      expect(report.orders.placingMs).toEqual({ p50: expect.any(Number), p99: expect.any(Number) });
    });

    it("asks for each order with the position that placing it gave", async () => {
      await json("--count", "3");
      expect([...shop.minPositions].sort()).toEqual(["orders=1", "orders=2", "orders=3"]);
    });

    it("gives the same result on the same shop in another run, and no new order in the same run", async () => {
      const first = await json("--count", "60", "--run", "a");
      const repeated = await json("--count", "60", "--run", "a");
      expect(shop.orders.size).toBe(60);
      expect(repeated.report.orders.placed).toBe(60);
      expect(repeated.report.cancellations).toEqual(first.report.cancellations);
      const second = await json("--count", "60", "--run", "b");
      expect(shop.orders.size).toBe(120);
      const { rejected, cancelled } = first.report.orders;
      expect(second.report.orders).toMatchObject({ placed: 60, rejected, cancelled });
    });

    it("waits as long as a 503 asks, and places the order then", async () => {
      shop.hindrances = [{ status: 503, headers: { "retry-after": "2" } }];
      const { report, slept, code } = await json("--count", "1");
      expect({ code, placed: report.orders.placed, retries: report.retries }).toEqual({
        code: 0,
        placed: 1,
        retries: 1,
      });
      expect(slept[0]).toBe(2_000);
    });

    it("waits until the date that a 503 names, but never longer than five seconds", async () => {
      const at = (ms: number) => ({ status: 503, headers: { "retry-after": new Date(ms).toUTCString() } });
      shop.hindrances = [at(4_000), at(1_000_000)];
      expect((await demo("--count", "1")).slept.slice(0, 2)).toEqual([3_000, 5_000]);
    });

    it("repeats an order under the same key when the connection breaks, and has it once", async () => {
      shop.hindrances = [{ status: 0 }];
      const { report } = await json("--count", "1");
      expect(report.orders.placed).toBe(1);
      expect([shop.placings, shop.orders.size]).toEqual([2, 1]);
    });

    it("cancels again after a lost race, and counts a final no as too late", async () => {
      const count = ["--count", "100"];
      const { report: usual } = await json(...count);
      shop.refusals = [{ status: 409, headers: { "retry-after": "0" } }, { status: 409 }];
      const { report } = await json(...count);
      expect(report.cancellations).toEqual({ accepted: usual.cancellations.accepted - 1, tooLate: 1 });
      expect(report.retries).toBe(1);
    });

    it("gives an order up after eight attempts and says why", async () => {
      shop.hindrances = Array.from({ length: 8 }, () => ({
        status: 503,
        body: { detail: "the log is away" },
      }));
      const { report, code } = await json("--count", "1");
      expect(code).toBe(1);
      expect(shop.placings).toBe(8);
      expect(report.orders).toMatchObject({
        placed: 0,
        failed: 1,
        failures: ["POST /orders/v1/orders: 503, the log is away"],
        placingMs: null,
      });
    });

    it("stops waiting for a gateway that has gone, and fails the rest at once", async () => {
      shop.gone = true;
      const { report, slept, code } = await json("--count", "50", "--concurrency", "1");
      expect(code).toBe(1);
      expect(report.orders).toMatchObject({ placed: 0, failed: 50 });
      expect(slept.length).toBeLessThan(20);
    });

    it("does not repeat what was refused for good", async () => {
      shop.hindrances = [{ status: 422, body: { detail: "no such customer" } }];
      const { out, code } = await demo("--count", "1");
      expect([code, shop.placings]).toEqual([1, 1]);
      expect(out).toContain("POST /orders/v1/orders: 422, no such customer");
    });

    it("names the orders that do not come to an end", async () => {
      shop.stuck = true;
      const { out, code } = await demo("--count", "1");
      expect(code).toBe(1);
      expect(out).toMatch(/unsettled +1\n.*order "order-1" had not ended/);
    });

    it("shows progress beside the summary, not in it", async () => {
      const { out, err } = await demo("--count", "5");
      expect(err).toContain("5 of 5 orders");
      expect(out).toMatch(/placed +5\n/);
      expect(out).not.toContain("of 5 orders");
    });
  });

  describe("with a retail file", () => {
    it("prices and stocks the shop first, then everything sold is confirmed", async () => {
      const { report, code } = await replayOf(
        "1,A,Thing,6,,2.55,9,UK",
        "1,BANK CHARGES,Fee,1,,15,9,UK",
        "2,A,Thing,4,,2.55,,UK",
        "3,X,,-10,,0,,UK",
      );
      expect(code).toBe(0);
      expect(Object.fromEntries(shop.prices)).toEqual({ A: 255, BANK_20CHARGES: 1500 });
      expect([...shop.stock.values()]).toEqual([0, 0]);
      expect([...shop.orders.values()].map((order) => order.customerId).sort()).toEqual(["9", "guest"]);
      expect(report).toMatchObject({ invoices: 3, salesInvoices: 2, orders: { placed: 2, confirmed: 2 } });
      expect(report.oddities.map(({ oddity }: { oddity: string }) => oddity)).toEqual([
        "negative_quantity",
        "nothing_sold",
        "missing_customer",
        "charge",
        "escaped_stock_code",
      ]);
    });

    it("cancels the sale that a cancellation means, and counts returns and unmatched ones", async () => {
      const { report } = await replayOf(
        "1,A,Thing,6,,1,9,UK",
        "C2,A,Thing,-6,,1,9,UK",
        "3,A,Thing,5,,1,8,UK",
        "C4,A,Thing,-1,,1,8,UK",
        "C5,A,Thing,-1,,1,7,UK",
      );
      const taken = report.cancellations.accepted + report.cancellations.tooLate;
      expect(taken).toBe(1);
      expect(report).toMatchObject({ returns: 1, cancellations: { unmatched: 1, failed: 0 } });
      expect(report.orders.cancelled).toBe(report.cancellations.accepted);
      expect(report.orders.confirmed + report.orders.cancelled).toBe(2);
    });

    it("places a customer's sales in the order of the file", async () => {
      const rows = Array.from({ length: 30 }, (_, at) => `${at},S${at},Thing,1,,1,9,UK`);
      await replayOf(...rows);
      expect([...shop.orders.values()].map(({ lines }) => lines[0]?.sku)).toEqual(
        rows.map((_, at) => `S${at}`),
      );
    });

    it("stops at a file of another format with what was expected", async () => {
      const path = join(folder, "other.csv");
      await writeFile(path, "id;name\n1;x\n");
      const stopped = demo("--orders", path);
      await expect(stopped).rejects.toThrow(`expected "${RETAIL_COLUMNS.join(",")}"`);
    });
  });

  it("says in one line that no gateway answers", async () => {
    const gone = createServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const address = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
    await new Promise((resolve) => gone.close(resolve));
    await expect(demo("--url", address)).rejects.toThrow(
      `reaching the gateway at "${address}": GET /healthz: no answer (ECONNREFUSED); expected one there (npm start), or its address by --url`,
    );
  });

  it("explains itself", async () => {
    const { code, out } = await demo("--help");
    expect(code).toBe(0);
    expect(out).toContain("--orders FILE");
  });
});
