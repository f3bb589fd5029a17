import { get, type IncomingHttpHeaders } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";

/** The part before a service that sends plain text, and the copy by which a gateway's answer leaves. */
const WORKER = `
  import { compression } from "./compression.ts";
  const service = async () => new Response("hello ".repeat(1000), { headers: { "content-type": "text/plain" } });
  export default {
    async fetch(request) {
      const exchange = { request };
      const answer = await compression({})(service)(exchange);
      const response = new Response(answer.body, answer);
      for (const { kind, name, value } of exchange.answer ?? [])
        kind === "remove" ? response.headers.delete(name) : response.headers[kind](name, value);
      return response;
    },
  };
`;

let workers: Miniflare;
let url: string;

beforeAll(async () => {
  const built = await build({
    stdin: { contents: WORKER, resolveDir: import.meta.dirname, loader: "js" },
    bundle: true,
    format: "esm",
    write: false,
    conditions: ["workerd", "worker", "browser"],
  });
  const contents = built.outputFiles[0]?.text ?? "";
  workers = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      workers: [
        {
          name: "compressing",
          modules: [{ type: "ESModule", path: "index.mjs", contents }],
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
          compatibilityDate: "2026-10-01",
        },
      ],
    }),
  );
  await workers.ready;
  url = (await workers.unsafeGetDirectURL("compressing")).href;
});

afterAll(() => workers?.dispose());

const asked = (accept: string) =>
  new Promise<{ headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    get(url, { headers: { "accept-encoding": accept } }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      resolve({ headers: answer.headers, body: Buffer.concat(chunks) });
    }).on("error", reject);
  });

test.each([
  ["gzip", gunzipSync],
  ["br", brotliDecompressSync],
] as const)("workerd compresses an answer that is said to be %s, once", async (encoding, decompress) => {
  const { headers, body } = await asked(encoding);
  expect(headers["content-encoding"]).toBe(encoding);
  expect(body.length).toBeLessThan(200);
  expect(decompress(body).toString()).toBe("hello ".repeat(1000));
});

test("workerd sends it as it is to a client that wants that", async () => {
  const { headers, body } = await asked("identity");
  expect(headers["content-encoding"]).toBeUndefined();
  expect(body.toString()).toBe("hello ".repeat(1000));
});
