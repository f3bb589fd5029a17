/** The page of documents in a real browser, as its worker is built for deployment: operations of services, nothing from elsewhere. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createBundler } from "#cli/bundle-workers.ts";
import { keepSignalListeners } from "#cli/signal-listeners.ts";
import { workerOptions } from "#cli/worker-options.ts";
import { ROOT, WORKERS } from "#cli/workers.ts";
import { createServiceApp } from "#shared/http/service-app.ts";
import { CATALOG, CATALOG_PROBLEMS } from "#workers/catalog/contract.ts";
import { addCatalogRoutes } from "#workers/catalog/routes.ts";
import { mergedDocument } from "#workers/gateway/documents/merged-document.ts";
import { readDocument, type ServiceDocument } from "#workers/gateway/documents/service-document.ts";
import { ORDERS, ORDERS_PROBLEMS } from "#workers/orders/contract.ts";
import { addOrderRoutes } from "#workers/orders/routes.ts";
import { findBrowser } from "./find-browser.ts";

const program = findBrowser();

/** In the gateway's place: the page's worker behind `/docs`, the document beside it. */
const FRONT = `export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/docs")) return env.DOCS.fetch(request);
    if (pathname !== "/openapi.json") return Response.json({ items: [] });
    return new Response(env.DOCUMENT, { headers: { "content-type": "application/json" } });
  },
};`;

const serviceDocument = async (
  own: { readonly service: string; readonly major: number },
  app: { request(path: string): Response | Promise<Response> },
): Promise<ServiceDocument> => {
  const text = await (await app.request(`/${own.service}/v${own.major}/openapi.json`)).text();
  const read = readDocument(text);
  if (!read.ok) throw new Error(read.error);
  return { ...own, document: read.value, characters: text.length, digest: text };
};

const documentOfTwo = async (origin: string): Promise<string> => {
  const shell = { description: "", readiness: [] };
  const orders = createServiceApp({ ...shell, name: ORDERS.service, major: 1, problems: ORDERS_PROBLEMS });
  const catalog = createServiceApp({ ...shell, name: CATALOG.service, major: 1, problems: CATALOG_PROBLEMS });
  addOrderRoutes(orders, {} as Parameters<typeof addOrderRoutes>[1]);
  addCatalogRoutes(
    catalog,
    {} as Parameters<typeof addCatalogRoutes>[1],
    {} as Parameters<typeof addCatalogRoutes>[2],
  );
  const documents = [await serviceDocument(CATALOG, catalog), await serviceDocument(ORDERS, orders)];
  return JSON.stringify(mergedDocument({ origin, documents, missing: [], listed: [] }));
};

describe.skipIf(program === undefined)("the page of documents", () => {
  let miniflare: Miniflare;
  let browser: Browser;
  let page: Page;
  let url: string;
  let pictures: string;
  /** What a person would have to read in the console, a violated policy too, and requests that left the system. */
  let complaints: string[];

  const start = async (document: string, port: number) => {
    const docs = WORKERS.find(({ name }) => name === "skerry-docs");
    if (!docs)
      throw new Error('looking for the worker "skerry-docs" in the table of workers: it is not there');
    const bundler = await createBundler({ [docs.name]: join(ROOT, docs.main) });
    const bundles = await bundler.build();
    await bundler.close();
    const removeNewListeners = keepSignalListeners();
    const started = new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        port,
        cf: false,
        log: new Log(LogLevel.NONE),
        workers: [
          {
            name: "front",
            modules: [{ type: "ESModule", path: "front.mjs", contents: FRONT }],
            bindings: { DOCUMENT: document },
            serviceBindings: { DOCS: docs.name },
            compatibilityDate: "2026-10-01",
          },
          workerOptions(docs, { contents: bundles[docs.name] ?? "", vars: {} }),
        ],
      }),
    );
    const ready = await started.ready.finally(removeNewListeners);
    return { started, origin: ready.origin };
  };

  beforeAll(async () => {
    pictures = await mkdtemp(join(tmpdir(), "skerry-pictures-"));
    const [running, opened] = await Promise.all([
      documentOfTwo("/").then((document) => start(document, 0)),
      chromium.launch({ executablePath: program ?? "", args: ["--no-sandbox"] }),
    ]);
    miniflare = running.started;
    url = running.origin;
    browser = opened;
  });
  afterAll(async () => {
    process.stdout.write(`  Pictures of the documents: ${pictures}\n`);
    await browser?.close();
    await miniflare?.dispose();
  });

  const open = async (colorScheme: "light" | "dark", width = 1280) => {
    page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith("data:") && new URL(request.url()).origin !== url)
        complaints.push(`asked ${request.url()}`);
    });
    await page.goto(`${url}/docs`);
    await seen("/orders/v1/orders");
  };
  /** The viewer lets long paths break at each slash, by a character that shows nothing. */
  const seen = (path: string) =>
    page.locator(`[data-path="${path}"]`).first().waitFor({ state: "visible", timeout: 10_000 });

  beforeEach(() => {
    complaints = [];
  });
  afterEach(async (context) => {
    await page.screenshot({ path: join(pictures, `${context.task.name.replace(/\W+/g, "-")}.png`) });
    await page.close();
    expect(complaints).toEqual([]);
  });

  test("shows the operations of every service, and what one of them takes and answers", async () => {
    await open("light");
    for (const path of ["/catalog/v1/products", "/orders/v1/orders"]) await seen(path);
    const place = page.locator(".opblock-post").first();
    await place.locator(".opblock-summary-control").click();
    await place.getByText('"customerId"').first().waitFor({ state: "visible" });
    await place
      .getByText("order_rejected")
      .or(place.getByText("unknown_product"))
      .first()
      .waitFor({ state: "visible" });
  });

  test("can be read in the dark", async () => {
    await open("dark");
    const colours = (selector: string) =>
      page.evaluate(
        `(() => { const { color, backgroundColor } = getComputedStyle(document.querySelector(${JSON.stringify(selector)})); return [color, backgroundColor]; })()`,
      ) as Promise<[string, string]>;
    const brightness = (colour: string) =>
      (colour.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
    expect(brightness((await colours("body"))[1])).toBeLessThan(150);
    expect(brightness((await colours(".opblock-summary-path"))[0])).toBeGreaterThan(400);
  });

  test("sends a request from the page to the gateway itself", async () => {
    await open("light");
    const operation = page.locator(".opblock-get").filter({ hasText: "Orders, newest first" });
    await operation.locator(".opblock-summary-control").click();
    await operation.getByRole("button", { name: "Try it out" }).click();
    await operation.getByRole("button", { name: "Execute" }).click();
    await operation.locator(".live-responses-table").getByText("200").first().waitFor({ state: "visible" });
  });

  test("on a phone nothing has to be scrolled sideways", async () => {
    await open("light", 390);
    expect(Number(await page.evaluate("document.documentElement.scrollWidth"))).toBeLessThanOrEqual(390);
  });
});
