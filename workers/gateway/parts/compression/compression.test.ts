import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Handler } from "../../exchange.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { acceptedEncoding } from "./accepted-encoding.ts";
import { compression } from "./compression.ts";
import type { WrittenCompression } from "./compression-schema.ts";

interface Sent {
  readonly accept?: string;
  readonly headers?: Record<string, string>;
  readonly status?: number;
  readonly settings?: WrittenCompression;
  readonly ifNoneMatch?: string;
}

const TEXT = { "content-type": "text/plain", "content-length": "5000" };

const sent = async ({
  accept = "gzip, br",
  headers = TEXT,
  status = 200,
  settings = {},
  ifNoneMatch,
}: Sent) => {
  const body = [204, 304].includes(status) ? null : "x".repeat(5_000);
  const service: Handler = async () => new Response(body, { status, headers });
  const asked = { "accept-encoding": accept, ...(ifNoneMatch && { "if-none-match": ifNoneMatch }) };
  const answer = await answered(compression(settings)(service), fakeExchange("/", { headers: asked }));
  return answer.headers;
};

describe("Accept-Encoding (RFC 9110 12.5.3)", () => {
  test.each([
    [null, undefined, false],
    ["", undefined, false],
    ["gzip", "gzip", false],
    ["GZIP", "gzip", false],
    ["x-gzip", "gzip", false],
    ["gzip, br", "br", false],
    ["gzip;q=1.0, br;q=0.5", "gzip", false],
    ["gzip ; q=0.1", "gzip", false],
    ["gzip;q=0", undefined, false],
    ["*", "br", false],
    ["*;q=0.5, br;q=0", "gzip", false],
    ["identity, gzip;q=0.5", undefined, false],
    ["identity;q=0.5, gzip", "gzip", false],
    ["identity, gzip", "gzip", false],
    ["identity;q=0, gzip;q=0.1", "gzip", true],
    ["*;q=0", undefined, true],
    ["*;q=0, identity;q=0.5", undefined, false],
    ["*;q=0, gzip", "gzip", true],
    ["deflate, zstd", undefined, false],
    ["gzip;q=2", undefined, false],
    ["gzip;q=0.1234", undefined, false],
    ["gzip;q=, br;x=1,;;,=", undefined, false],
  ])("RFC 9110 §12.5.3: Accept-Encoding %j wants %j", (header, encoding, identityRefused) => {
    expect(acceptedEncoding(header, ["br", "gzip"])).toEqual({ encoding, identityRefused });
  });

  test("RFC 9110 §12.5.3: no Accept-Encoding leads to a coding that it refuses or does not name", () => {
    const coding = fc.constantFrom("gzip", "br", "*", "identity", "zstd");
    const entry = fc.tuple(coding, fc.constantFrom("", ";q=0", ";q=0.5", ";q=1"));
    const header = fc.uniqueArray(entry, { maxLength: 5, selector: ([name]) => name });
    fc.assert(
      fc.property(header, (entries) => {
        const text = entries.map(([name, weight]) => name + weight).join(",");
        const { encoding } = acceptedEncoding(text, ["br", "gzip"]);
        if (encoding === undefined) return;
        const said = entries.find(([name]) => name === encoding) ?? entries.find(([name]) => name === "*");
        expect(said?.[1]).not.toBe(";q=0");
        expect(said).toBeDefined();
      }),
    );
  });

  test("is read whatever is sent", () => {
    fc.assert(fc.property(fc.string(), (header) => void acceptedEncoding(header, ["gzip"])));
    expect(acceptedEncoding(`${"x,".repeat(100_000)}gzip`, ["gzip"]).encoding).toBeUndefined();
  });
});

describe("compression", () => {
  test("RFC 9110 §8.4: a compressed answer says its coding, has no length and tells caches", async () => {
    const headers = await sent({ headers: { ...TEXT, vary: "Origin" } });
    expect(headers.get("content-encoding")).toBe("br");
    expect(headers.has("content-length")).toBe(false);
    expect(headers.get("vary")).toBe("Origin, accept-encoding");
  });

  test("RFC 9110 §12.5.5: Vary tells caches also where this client gets the answer as it is", async () => {
    const headers = await sent({ accept: "" });
    expect(headers.has("content-encoding")).toBe(false);
    expect(headers.get("content-length")).toBe("5000");
    expect(headers.get("vary")).toBe("accept-encoding");
  });

  test("RFC 9110 §8.8.1: compression weakens a strong tag and leaves a weak one", async () => {
    expect((await sent({ headers: { ...TEXT, etag: '"a"' } })).get("etag")).toBe('W/"a"');
    expect((await sent({ headers: { ...TEXT, etag: 'W/"a"' } })).get("etag")).toBe('W/"a"');
    expect((await sent({ accept: "", headers: { ...TEXT, etag: '"a"' } })).get("etag")).toBe('"a"');
  });

  test("RFC 9111 §4.3.4: a 304 has the tag of the compressed answer that the client has", async () => {
    const not = { status: 304, headers: { etag: '"a"' } };
    const compressed = await sent({ ...not, ifNoneMatch: 'W/"a"' });
    expect(Object.fromEntries(compressed)).toMatchObject({ etag: 'W/"a"', vary: "accept-encoding" });
    const asItIs = await sent({ ...not, ifNoneMatch: '"a"' });
    expect(Object.fromEntries(asItIs)).toEqual({ etag: '"a"' });
  });

  test("leaves small answers as they are, unless the client refuses that", async () => {
    const small = { ...TEXT, "content-length": "1023" };
    expect((await sent({ headers: small })).has("content-encoding")).toBe(false);
    expect((await sent({ headers: small, accept: "gzip, identity;q=0" })).get("content-encoding")).toBe(
      "gzip",
    );
    expect((await sent({ headers: { ...TEXT, "content-length": "1024" } })).get("content-encoding")).toBe(
      "br",
    );
    expect((await sent({ headers: small, settings: { minimumBytes: 0 } })).get("content-encoding")).toBe(
      "br",
    );
  });

  test("compresses what has no known length", async () => {
    expect((await sent({ headers: { "content-type": "text/html" } })).get("content-encoding")).toBe("br");
  });

  test.each([
    ["what is encoded already", { ...TEXT, "content-encoding": "gzip" }],
    ["what nobody may change (RFC 9111 5.2.2.6)", { ...TEXT, "cache-control": "public, no-transform" }],
    ["what has a digest (RFC 9530)", { ...TEXT, "content-digest": "sha-256=:AA==:" }],
    ["events", { "content-type": "text/event-stream; charset=utf-8" }],
    ["lines that come one by one", { "content-type": "application/x-ndjson" }],
    ["records that come one by one", { "content-type": "application/json-seq" }],
    ["gRPC-Web", { "content-type": "application/grpc-web+proto" }],
    ["pictures", { "content-type": "image/png" }],
    ["what has no type", { "content-type": "" }],
  ])("RFC 9110 §7.7: compression leaves %s alone", async (_, headers: Record<string, string>) => {
    const left = await sent({ headers });
    expect(left.get("content-encoding")).toBe(headers["content-encoding"] ?? null);
    expect(left.has("vary")).toBe(false);
  });

  test.each([
    "application/json",
    "application/problem+json",
    "application/ld+json; charset=utf-8",
    "image/svg+xml",
  ])("compresses %s", async (type) => {
    expect((await sent({ headers: { "content-type": type } })).get("content-encoding")).toBe("br");
  });

  test("RFC 9110 §15.3.7: parts of an answer are not compressed", async () => {
    expect((await sent({ status: 206 })).has("content-encoding")).toBe(false);
  });

  test("goes by the operator's order and by nothing else that is offered", async () => {
    const gzip: WrittenCompression = { encodings: ["gzip"] };
    expect((await sent({ settings: gzip })).get("content-encoding")).toBe("gzip");
    expect((await sent({ settings: gzip, accept: "br" })).has("content-encoding")).toBe(false);
  });

  test("does not slow down on a type that is made to be looked at for long", async () => {
    const type = `application/${"a+".repeat(30_000)}`;
    expect((await sent({ headers: { "content-type": type } })).has("content-encoding")).toBe(false);
  });
});
