/** Holds that key sets are asked for seldom, kept new, kept while their issuer is down, and bounded in every way. */
import { beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../limits.ts";
import { handClock } from "./fake-identity.ts";
import type { KeySet } from "./key-set.ts";
import { fetchedKeySet, givenKeySet } from "./key-set-source.ts";

const jwksOf = (...kids: string[]) => JSON.stringify({ keys: kids.map((kid) => ({ kty: "RSA", kid })) });
const answering =
  (text: string, headers: Record<string, string> = {}) =>
  async () =>
    new Response(text, { headers });

let time: ReturnType<typeof handClock>;
let asked: Request[];
let afterwards: Promise<unknown>[];
let answer: (request: Request) => Promise<Response>;
beforeEach(() => {
  time = handClock();
  [asked, afterwards] = [[], []];
  answer = answering(jwksOf("a"));
});

/** Sleeping lets others have their turn, and time passes by as much. */
const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
  // The bound of a question must not pass by itself: only tests that say so let it.
  if (signal)
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  time.pass(ms);
  await new Promise((resolve) => setImmediate(resolve));
};

const source = (over: { sleep?: typeof sleep } = {}) =>
  fetchedKeySet({
    url: "https://issuer.example/keys",
    fetch: (request) => {
      asked.push(request);
      return answer(request);
    },
    clock: time.clock,
    sleep,
    ...over,
  });

const waitUntil = (work: Promise<unknown>) => void afterwards.push(work);
const kids = (set: KeySet | undefined) => set?.keys.map(({ kid }) => kid);

test("the first who needs keys waits for them, later ones have them at once", async () => {
  const keys = source();
  expect(kids(await keys.current(waitUntil))).toEqual(["a"]);
  const set = keys.current(waitUntil);
  expect(set).not.toBeInstanceOf(Promise);
  expect(asked).toHaveLength(1);
  expect([asked[0]?.url, asked[0]?.redirect]).toEqual(["https://issuer.example/keys", "manual"]);
});

test("many who need them at once ask once, and none waits for another's promise", async () => {
  const keys = source();
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  answer = async () => {
    await gate;
    return new Response(jwksOf("a"));
  };
  const waiting = [keys.current(waitUntil), keys.current(waitUntil), keys.renewed(waitUntil)];
  release();
  expect((await Promise.all(waiting)).map(kids)).toEqual([["a"], ["a"], ["a"]]);
  expect(asked).toHaveLength(1);
});

test("who waits for another's question gives up when that has had its time", async () => {
  const keys = source();
  answer = () => new Promise(() => undefined);
  void keys.current(waitUntil);
  expect(await keys.current(waitUntil)).toBeUndefined();
  expect(asked).toHaveLength(1);
});

describe("growing old", () => {
  test("they are asked for beside a request, before they are", async () => {
    const keys = source();
    const first = await keys.current(waitUntil);
    time.pass(LIMITS.keySetFreshMs * 0.75);
    answer = answering(jwksOf("b"));
    afterwards = [];
    expect(keys.current(waitUntil)).toBe(first);
    expect(afterwards).toHaveLength(1);
    await Promise.all(afterwards);
    expect(kids(await keys.current(waitUntil))).toEqual(["b"]);
  });

  test("and being old, before a request: a key may have been withdrawn while nobody asked", async () => {
    const keys = source();
    await keys.current(waitUntil);
    time.pass(LIMITS.keySetFreshMs);
    answer = answering(jwksOf("b"));
    expect(kids(await keys.current(waitUntil))).toEqual(["b"]);
  });

  test("and being the same as before, they are the same set: what was verified by it still is", async () => {
    const keys = source();
    const first = await keys.current(waitUntil);
    time.pass(LIMITS.keySetFreshMs);
    expect(await keys.current(waitUntil)).toBe(first);
    expect(asked).toHaveLength(2);
  });

  test.each([
    ["max-age=120", 120_000],
    ["public, max-age=1", LIMITS.keySetFreshMinMs],
    ["max-age=999999999", LIMITS.keySetFreshMaxMs],
    ["no-store", LIMITS.keySetFreshMs],
    ["x-max-age=120", LIMITS.keySetFreshMs],
  ])("goes by Cache-Control within bounds: %j", async (cacheControl, freshMs) => {
    answer = answering(jwksOf("a"), { "cache-control": cacheControl });
    const keys = source();
    await keys.current(waitUntil);
    time.pass(freshMs * 0.75 - 1);
    keys.current(waitUntil);
    expect(asked).toHaveLength(1);
    time.pass(1);
    keys.current(waitUntil);
    expect(asked).toHaveLength(2);
  });
});

test("keys that are not known are asked for once in ten seconds, however many tokens name them", async () => {
  const keys = source();
  await keys.current(waitUntil);
  time.pass(LIMITS.keySetAgainMs - 1);
  for (const _ of [1, 2, 3]) expect(kids(await keys.renewed(waitUntil))).toEqual(["a"]);
  expect(asked).toHaveLength(1);
  time.pass(1);
  answer = answering(jwksOf("a", "b"));
  for (const _ of [1, 2, 3]) expect(kids(await keys.renewed(waitUntil))).toEqual(["a", "b"]);
  expect(asked).toHaveLength(2);
});

test("of an issuer that is down the last keys hold for hours and not for ever", async () => {
  const keys = source();
  const first = await keys.current(waitUntil);
  answer = () => Promise.reject(new TypeError("no route"));
  time.pass(LIMITS.keySetKeptMs - 1);
  expect(await keys.current(waitUntil)).toBe(first);
  time.pass(LIMITS.keySetColdAgainMs);
  expect(await keys.current(waitUntil)).toBeUndefined();
  answer = answering(jwksOf("b"));
  time.pass(LIMITS.keySetColdAgainMs);
  expect(kids(await keys.current(waitUntil))).toEqual(["b"]);
});

describe("an answer is no key set when", () => {
  const megabyte = `{"keys":[{"kty":"RSA","kid":"a","n":"${"A".repeat(1024 * 1024)}"}]}`;
  const cases: [string, () => Promise<Response>][] = [
    ["it has a megabyte", answering(megabyte)],
    ["it is no JSON", answering("<html>")],
    ["it is another JSON", answering('{"key":[]}')],
    ["it has no key", answering('{"keys":[]}')],
    ["its keys are secrets", answering('{"keys":[{"kty":"oct","k":"AA"},{"kty":"RSA","d":"AA"}]}')],
    ["its status is 404", async () => new Response(jwksOf("evil"), { status: 404 })],
    ["it leads elsewhere", async () => Response.redirect("https://elsewhere.example/")],
  ];
  test.each(cases)("%s: what was there before stays", async (_, bad) => {
    const keys = source();
    const first = await keys.current(waitUntil);
    answer = bad;
    time.pass(LIMITS.keySetFreshMs);
    expect(await keys.current(waitUntil)).toBe(first);
    expect(asked).toHaveLength(2);
  });

  test("it takes too long: its request is ended", async () => {
    let tooLong = (): void => undefined;
    const keys = source({
      sleep: (ms) => {
        expect(ms).toBe(LIMITS.keySetMs);
        return new Promise((resolve) => {
          tooLong = resolve;
        });
      },
    });
    answer = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const waiting = keys.current(waitUntil);
    tooLong();
    expect(await waiting).toBeUndefined();
    expect(asked[0]?.signal.aborted).toBe(true);
  });
});

test("no more keys are kept than may be", async () => {
  answer = answering(jwksOf(...Array.from({ length: LIMITS.keySetKeys + 1 }, (_, at) => `${at}`)));
  expect((await source().current(waitUntil))?.keys).toHaveLength(LIMITS.keySetKeys);
});

test("keys that are written down are there at once, the public ones", async () => {
  const keys = givenKeySet({ keys: [{ kty: "EC", kid: "a" }, { kty: "EC", kid: "b", d: "secret" }, null] });
  expect(kids(await keys.current(waitUntil))).toEqual(["a"]);
  expect(await givenKeySet("none").current(waitUntil)).toBeUndefined();
});
