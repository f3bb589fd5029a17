import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Handler } from "../../exchange.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { headerEdits } from "./header-edits.ts";
import { headerEditsSchema } from "./header-edits-schema.ts";

/** Lone surrogates and control characters, too. */
const TEXT = fc.array(fc.nat(0xffff), { maxLength: 20 }).map((codes) => String.fromCharCode(...codes));

const service: Handler = async () =>
  new Response("hello", { headers: { server: "x", "x-kept": "1", "x-tag": "a" } });

describe("header edits", () => {
  test("change what the client gets", async () => {
    const part = headerEdits({
      answer: { remove: ["server"], set: { "x-new": "1" }, append: { "x-tag": "b" } },
    });
    const { headers } = await answered(part(service), fakeExchange("/"));
    expect(headers.has("server")).toBe(false);
    expect(headers.get("x-new")).toBe("1");
    expect(headers.get("x-tag")).toBe("a, b");
    expect(headers.get("x-kept")).toBe("1");
  });

  test("change what the service gets, and nothing that other parts see", async () => {
    const part = headerEdits({
      request: { remove: ["x-old"], set: { "x-new": "1" }, append: { "x-tag": "b" } },
    });
    const exchange = fakeExchange("/", { headers: { "x-old": "1" } });
    await part(service)(exchange);
    expect(exchange.onward).toEqual([
      { kind: "remove", name: "x-old", value: "" },
      { kind: "set", name: "x-new", value: "1" },
      { kind: "append", name: "x-tag", value: "b" },
    ]);
    expect(exchange.request.headers.get("x-old")).toBe("1");
    expect(exchange.answer).toBeUndefined();
  });

  test("put the route's parameters in, percent-encoded, and nothing for one that there is not", async () => {
    const part = headerEdits({ request: { set: { "x-order": "<{id}/{none}/{toString}> {} { id}" } } });
    const exchange = fakeExchange("/", {}, { params: { id: "ä b\r\nx: 1" } });
    await part(service)(exchange);
    expect(exchange.onward?.[0]?.value).toBe("<%C3%A4%20b%0D%0Ax%3A%201//> {} { id}");
  });

  test("make a header of any parameter", async () => {
    const part = headerEdits({ request: { set: { "x-order": "{id}" } } });
    await fc.assert(
      fc.asyncProperty(TEXT, async (id) => {
        const exchange = fakeExchange("/", {}, { params: { id } });
        await part(service)(exchange);
        const [edit] = exchange.onward ?? [];
        expect(new Headers({ "x-order": edit?.value ?? "none" }).get("x-order")).toBe(edit?.value);
      }),
    );
  });

  test.each([
    "connection",
    "transfer-encoding",
    "te",
    "upgrade",
    "host",
    "content-length",
    "skerry-internal-session",
    "X-Upper",
    "a b",
    "",
  ])("RFC 9113 §8.2.2: header edits cannot be written for %j", (name) => {
    for (const written of [
      { request: { set: { [name]: "1" } } },
      { request: { append: { [name]: "1" } } },
      { answer: { remove: [name] } },
    ])
      expect(headerEditsSchema.safeParse(written).success).toBe(false);
  });

  test("RFC 9110 §5.5: header edits cannot be written with a value that breaks out of its header", () => {
    for (const value of ["a\r\nb: 1", "a\n", "ä", " a"])
      expect(headerEditsSchema.safeParse({ answer: { set: { "x-a": value } } }).success).toBe(false);
    expect(headerEditsSchema.safeParse({ answer: { set: { "x-a": "" } } }).success).toBe(true);
  });
});
