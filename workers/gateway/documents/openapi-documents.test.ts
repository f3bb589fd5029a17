import { beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import type { Instance } from "#shared/registry/instance.ts";
import { type FakeLink, fakeLink, instance } from "../fake-link.ts";
import { registeredServices } from "../registered-services.ts";
import { openApiAnswer } from "./openapi-answer.ts";
import { type OpenApiDocuments, openApiDocuments } from "./openapi-documents.ts";

let link: FakeLink;
let now: number;
let answers: Record<string, (request: Request) => Response | Promise<Response>>;
let asked: string[];
let underWay: number;
let mostAtOnce: number;
let timers: (() => void)[];
let documents: OpenApiDocuments;

const document = (service: string, fields: object = {}) =>
  JSON.stringify({
    openapi: "3.1.0",
    info: { title: service, version: "1" },
    paths: { [`/${service}/v1/things`]: { get: { responses: { 200: { description: "ok" } } } } },
    ...fields,
  });

/** Registers a service whose instance answers with `text`. */
const serve = (
  service: string,
  text: string | (() => Response | Promise<Response>),
  more: Partial<Instance> = {},
) => {
  const id = more.id ?? service;
  link.register(service, instance({ ...more, id }));
  answers[id] = typeof text === "string" ? () => new Response(text) : text;
};

beforeEach(() => {
  link = fakeLink();
  now = 1_000_000;
  answers = {};
  asked = [];
  underWay = 0;
  mostAtOnce = 0;
  timers = [];
  const services = registeredServices({
    link,
    random: () => 0,
    upstreamOf: ({ id }) => ({
      async fetch(request) {
        asked.push(`${id} ${new URL(request.url).pathname}`);
        mostAtOnce = Math.max(mostAtOnce, ++underWay);
        await Promise.resolve();
        try {
          return (await answers[id]?.(request)) ?? new Response("", { status: 404 });
        } finally {
          underWay--;
        }
      },
    }),
  });
  documents = openApiDocuments({
    link,
    services,
    clock: () => now,
    timer: (_ms, run) => {
      timers.push(run);
      return () => undefined;
    },
  });
});

const ask = async (query = "", headers: Record<string, string> = {}) => {
  const request = new Request(`http://shop.example/openapi.json${query}`, { headers });
  const answer = await openApiAnswer(documents, { request, requestId: "r", path: "/openapi.json" });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === "" ? undefined : JSON.parse(text) };
};

describe("the merged document", () => {
  test("has all services, at the address by which the client came", async () => {
    serve("b", document("b"));
    serve("a", document("a"));
    const { body } = await ask();
    expect(Object.keys(body.paths)).toEqual(["/a/v1/things", "/b/v1/things"]);
    expect(body.servers).toEqual([{ url: "http://shop.example" }]);
    expect(body["x-skerry-documents"]).toEqual(
      ["a", "b"].map((name) => ({ name, major: 1, url: `/${name}/v1/openapi.json` })),
    );
    expect(body["x-skerry-missing"]).toEqual([]);
  });

  test.each<[string, () => Response | Promise<Response>, string]>([
    ["is unreachable", () => Promise.reject(new Error("secret inside")), "it did not answer"],
    ["answers an error", () => new Response("oops", { status: 500 }), "it answered 500, expected 200"],
    ["sends no JSON", () => new Response("<html>"), "it is not JSON"],
    [
      "sends too much",
      () => new Response("x".repeat(LIMITS.openApiBytes + 1)),
      `expected at most ${LIMITS.openApiBytes} bytes`,
    ],
    [
      "breaks off",
      () => new Response(new ReadableStream({ pull: (stream) => stream.error(new Error("gone")) })),
      "it did not answer",
    ],
  ])("leaves out a service that %s, and names it", async (_what, answer, reason) => {
    serve("bad", answer);
    serve("good", document("good"));
    const { body } = await ask();
    expect(Object.keys(body.paths)).toEqual(["/good/v1/things"]);
    expect(body["x-skerry-missing"]).toEqual([{ service: "bad", major: 1, reason }]);
  });

  test("does not wait for a service that does not answer in time", async () => {
    serve("good", document("good"));
    serve("slow", () => {
      timers.at(-1)?.();
      return new Promise(() => undefined);
    });
    const { body } = await ask();
    expect(Object.keys(body.paths)).toEqual(["/good/v1/things"]);
    expect(body["x-skerry-missing"]).toMatchObject([{ service: "slow" }]);
  });

  test("asks a few services at once, and of many those that it has not asked the next time", async () => {
    const count = LIMITS.openApiFetchesPerRequest + 5;
    for (let n = 0; n < count; n++) serve(`s${n}`, document(`s${n}`));
    const first = await ask();
    expect(mostAtOnce).toBe(LIMITS.openApiFetchesAtOnce);
    expect(Object.keys(first.body.paths)).toHaveLength(LIMITS.openApiFetchesPerRequest);
    expect(first.body["x-skerry-missing"]).toHaveLength(5);
    expect(Object.keys((await ask()).body.paths)).toHaveLength(count);
    expect(asked).toHaveLength(count);
  });

  test("is remembered for a while, and has the same tag as long as nothing changes", async () => {
    serve("a", document("a"));
    const first = await ask();
    const etag = first.headers.get("etag") ?? "";
    expect((await ask("", { "if-none-match": etag })).status).toBe(304);
    expect(asked).toHaveLength(1);
    now += LIMITS.openApiFreshMs;
    expect((await ask("", { "if-none-match": etag })).status).toBe(304);
    expect(asked).toHaveLength(2);
    answers.a = () => new Response(document("a", { tags: [{ name: "new" }] }));
    now += LIMITS.openApiFreshMs;
    expect((await ask("", { "if-none-match": etag })).status).toBe(200);
  });

  test("is asked for anew as soon as there is another version, of the newest that there is", async () => {
    serve("a", document("a"));
    await ask();
    answers.a10 = () => new Response(document("a", { tags: [{ name: "ten" }] }));
    link.register("a", instance({ id: "a", version: "1.9.0" }), instance({ id: "a10", version: "1.10.0" }));
    expect((await ask()).body.tags).toContainEqual({ name: "a.v1.ten" });
  });

  test("keeps what a service said when it is away for a moment, but not when its versions have changed", async () => {
    serve("a", document("a"));
    await ask();
    answers.a = () => new Response("", { status: 503 });
    now += LIMITS.openApiFreshMs;
    expect((await ask()).body["x-skerry-missing"]).toEqual([]);
    link.register("a", instance({ id: "a", version: "1.1.0" }));
    now += LIMITS.openApiAgainMs;
    expect((await ask()).body["x-skerry-missing"]).toHaveLength(1);
  });

  test("does not ask a service that just failed again with each request", async () => {
    serve("a", () => new Response("", { status: 500 }));
    await ask();
    await ask();
    expect(asked).toHaveLength(1);
    now += LIMITS.openApiAgainMs;
    await ask();
    expect(asked).toHaveLength(2);
  });

  test("names a service without a healthy instance", async () => {
    serve("a", document("a"), { state: "down" });
    const { body } = await ask();
    expect(body["x-skerry-missing"]).toEqual([
      { service: "a", major: 1, reason: "none of its instances is healthy" },
    ]);
  });
});

describe("a part of it", () => {
  test("is one service's, or one major's", async () => {
    serve("a", document("a"));
    serve("b", document("b"));
    expect(Object.keys((await ask("?service=b&major=1")).body.paths)).toEqual(["/b/v1/things"]);
    expect(asked).toEqual(["b /b/v1/openapi.json"]);
  });

  test.each([
    ["?service=nobody", "nobody"],
    ["?service=a&major=2", "a v2"],
    ["?major=x", "any service vx"],
    ["?service=__proto__", "__proto__"],
  ])("is a 404 for %s, which names it", async (query, named) => {
    serve("a", document("a"));
    const { status, body } = await ask(query);
    expect([status, body.type]).toEqual([404, "/problems/not_found"]);
    expect(body.detail).toContain(`the document of "${named}":`);
  });

  test("is the list of where each document stands, without asking anybody", async () => {
    serve("a", document("a"));
    expect((await ask("?list")).body).toEqual({
      services: [{ name: "a", major: 1, url: "/a/v1/openapi.json" }],
    });
    expect(asked).toEqual([]);
  });
});

describe("one document in memory", () => {
  test("is there after it was fetched, and the same until the service says something else", async () => {
    serve("a", document("a"));
    expect([documents.of("a", 1), documents.isDue("a", 1)]).toEqual([undefined, true]);
    await documents.refresh("a", 1);
    const known = documents.of("a", 1);
    expect(known).toMatchObject({ info: { title: "a" } });
    expect(documents.isDue("a", 1)).toBe(false);
    now += LIMITS.openApiFreshMs;
    expect(documents.isDue("a", 1)).toBe(true);
    await documents.refresh("a", 1);
    expect(documents.of("a", 1)).toBe(known);
  });

  test("is fetched by one request at a time", async () => {
    serve("a", document("a"));
    const first = documents.refresh("a", 1);
    expect(documents.isDue("a", 1)).toBe(false);
    await first;
  });

  test("is not used any more when the service's versions have changed", async () => {
    serve("a", document("a"));
    await documents.refresh("a", 1);
    link.register("a", instance({ id: "a", version: "1.1.0" }));
    expect([documents.of("a", 1), documents.isDue("a", 1)]).toEqual([undefined, true]);
  });

  test("makes room for others when all of them are too much", async () => {
    const filling = document("x", { "x-filling": "y".repeat(LIMITS.openApiBytes - 1_000) });
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) {
      serve(name, filling);
      await documents.refresh(name, 1);
    }
    const kept = names.map((name) => documents.of(name, 1) !== undefined);
    expect(kept).toEqual([false, true, true, true, true]);
  });
});
