/** The pages as a person meets them, in a real browser: readable, without errors, without a request to anywhere else. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually, expectStatus, type Shop, shopOf, textOf } from "../e2e/shop.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { findBrowser } from "./find-browser.ts";

const program = findBrowser();

const TRACE = "2cf7651916cd43dd8448eb211c80319c";

describe.skipIf(program === undefined)("the pages", () => {
  let system: TestSystem;
  let shop: Shop;
  let browser: Browser;
  let page: Page;
  let orderId: string;
  let pictures: string;
  /** What a person would have to read in the console, and requests that left the system. */
  let complaints: string[];

  beforeAll(async () => {
    pictures = await mkdtemp(join(tmpdir(), "skerry-pictures-"));
    [system, browser] = await Promise.all([
      startTestSystem(),
      chromium.launch({ executablePath: program ?? "", args: ["--no-sandbox"] }),
    ]);
    shop = shopOf(system);
    await shop.offer("tea", { amount: 1250, pieces: 10 });
    const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
    const placed = expectStatus(await shop.place([{ sku: "tea", quantity: 1 }], headers), 202);
    orderId = textOf(placed.body, "orderId");
    await shop.settled(orderId);
    await eventually(async () => {
      const trace = expectStatus(await shop.request(`/monitor/api/traces/${TRACE}`), 200);
      expect(trace.text).toContain("process log-payments");
      expect(trace.text).toContain("project log-payments");
    });
  });
  afterAll(async () => {
    process.stdout.write(`  Pictures of the pages: ${pictures}\n`);
    await browser?.close();
    await system?.close();
  });

  beforeEach(async () => {
    complaints = [];
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== shop.url) complaints.push(`asked ${request.url()}`);
    });
  });
  afterEach(async (context) => {
    await page.screenshot({
      path: join(pictures, `${context.task.name.replace(/\W+/g, "-")}.png`),
      fullPage: true,
    });
    await page.close();
    expect(complaints).toEqual([]);
  });

  const seen = (text: string | RegExp) => page.getByText(text).first().waitFor({ state: "visible" });

  test("the front page says what runs here and that all of it is ready", async () => {
    await page.goto(shop.url);
    expect(await page.title()).toContain("Skerry");
    for (const name of ["catalog", "orders", "inventory", "payments", "monitor"]) {
      const card = page.locator(`[data-service="${name}"]`);
      await card.getByText("ready", { exact: true }).waitFor({ state: "visible" });
    }
    await seen("curl -X PUT");
  });

  test("the front page leads to the monitor, and it to the trace of an order", async () => {
    await page.goto(shop.url);
    await page.getByRole("link", { name: "Open the monitor" }).click();
    await page.getByRole("searchbox").fill(orderId);
    await page.keyboard.press("Enter");
    await page.locator(`a[href="/monitor/traces/${TRACE}"]`).click();
    await seen("POST /orders/v1/*");
    for (const name of ["process log-orders", "process log-payments", "project log-payments"])
      await seen(name);
  });

  test("the list of traces names how each began and who took part", async () => {
    await page.goto(`${shop.url}/monitor/`);
    const row = page.locator(`#t-${TRACE}`);
    for (const name of ["POST /orders/v1/*", "gateway", "orders", "catalog", "inventory", "payments"]) {
      await row.getByText(name, { exact: true }).first().waitFor({ state: "visible", timeout: 5_000 });
    }
  });

  test("a span of the waterfall opens to its attributes", async () => {
    await page.goto(`${shop.url}/monitor/traces/${TRACE}`);
    await page.getByText("publish log-orders").first().click();
    await seen("messaging.destination.name");
    await seen("log-orders");
  });

  test("the metrics show how soon changes are seen", async () => {
    await page.goto(`${shop.url}/monitor/`);
    await page.getByRole("link", { name: "Metrics" }).click();
    await seen("skerry.control.propagation");
  });

  test("a problem is explained where its type says", async () => {
    await page.goto(`${shop.url}/problems/order_not_found`);
    await seen("There is no order with this id");
  });

  test("on a phone nothing has to be scrolled sideways", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of ["/", "/problems", "/monitor/", "/monitor/metrics", `/monitor/traces/${TRACE}`]) {
      await page.goto(`${shop.url}${path}`);
      const width = await page.evaluate("document.documentElement.scrollWidth");
      expect([path, Number(width) <= 390]).toEqual([path, true]);
    }
  });
});
