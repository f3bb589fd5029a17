import { describe, expect, test } from "vitest";
import { docsApp } from "./docs-app.ts";

const TEXTS = { script: "globalThis.SwaggerUIBundle = () => {};", style: "body { margin: 0 }" };
const app = docsApp(TEXTS);

const page = async () => {
  const answer = await app.request("/docs");
  const policy = answer.headers.get("content-security-policy") ?? "";
  return { answer, policy, text: await answer.text() };
};
const fileIn = (text: string, name: string): string =>
  new RegExp(`"(/docs/files/[^"]+/${name.replace(".", "\\.")})"`).exec(text)?.[1] ?? "";

describe("the page", () => {
  test("lets nothing run or style but what carries its own nonce, and names nothing elsewhere", async () => {
    const { policy, text } = await page();
    const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
    expect(nonce).toMatch(/^[0-9a-f-]{36}$/);
    expect(policy).toContain(`default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'`);
    expect(policy).not.toContain("unsafe");
    for (const [tag] of text.matchAll(/<(?:script|style|link rel="stylesheet")[^>]*>/g))
      expect(tag).toContain(`nonce="${nonce}"`);
    expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  test("has another nonce for each request", async () => {
    expect((await page()).policy).not.toBe((await page()).policy);
  });

  test("shows the merged document", async () => {
    expect((await page()).text).toContain('url: "/openapi.json"');
  });

  test("stands at one address", async () => {
    const answer = await app.request("/docs/?service=orders");
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/docs?service=orders"]);
  });
});

describe("the viewer's files", () => {
  test.each([
    ["viewer.js", TEXTS.script, "text/javascript; charset=utf-8"],
    ["viewer.css", TEXTS.style, "text/css; charset=utf-8"],
  ])("%s is kept for ever at the address that the page names", async (name, text, mediaType) => {
    const path = fileIn((await page()).text, name);
    const answer = await app.request(path);
    expect(await answer.text()).toBe(text);
    expect(answer.headers.get("content-type")).toBe(mediaType);
    expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    const again = await app.request(path, {
      headers: { "if-none-match": answer.headers.get("etag") ?? "" },
    });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  test("have another address when their content is another", async () => {
    const other = docsApp({ ...TEXTS, script: "other" });
    const text = await (await other.request("/docs")).text();
    expect(fileIn(text, "viewer.js")).not.toBe(fileIn((await page()).text, "viewer.js"));
    expect(fileIn(text, "viewer.css")).toBe(fileIn((await page()).text, "viewer.css"));
  });

  test("are given to pages of another deployment, but not to be kept", async () => {
    const answer = await app.request("/docs/files/older/viewer.js");
    expect([await answer.text(), answer.headers.get("cache-control")]).toEqual([TEXTS.script, "no-store"]);
  });
});

test("anything else is refused with a problem", async () => {
  expect((await app.request("/docs/nothing")).status).toBe(404);
  const answer = await app.request("/docs", { method: "POST" });
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, expect.stringContaining("GET")]);
  expect(await answer.json()).toMatchObject({ type: "/problems/method_not_allowed" });
});
