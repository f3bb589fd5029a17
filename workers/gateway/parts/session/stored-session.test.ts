import { describe, expect, test, vi } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import type { KeyValue } from "#shared/storage/key-value.ts";
import { sqliteKeyValue } from "#shared/storage/sqlite-key-value.ts";
import { SESSION_COOKIE, sessionStand } from "./session-stand.ts";

const ALICE = { sub: "alice", note: "x".repeat(5_000) };
const settings = { store: "kv" } as const;

const stand = () => {
  const world = { now: 0 };
  const inner = sqliteKeyValue({ path: ":memory:", clock: () => world.now });
  const state = { away: false };
  const guarded = <Answer>(work: () => Promise<Answer>): Promise<Answer> =>
    state.away ? Promise.reject(new Error("The store is away")) : work();
  const store: KeyValue = {
    get: (key) => guarded(() => inner.get(key)),
    put: (key, value, options) => guarded(() => inner.put(key, value, options)),
    remove: (key) => guarded(() => inner.remove(key)),
    list: (prefix) => inner.list(prefix),
  };
  const keys = async () => {
    const found: string[][] = [];
    for await (const key of inner.list(["session"])) found.push(key);
    return found;
  };
  return { ...sessionStand({ settings, store }), kv: world, inner, state, keys };
};

describe("a session in the KeyValue store", () => {
  test("may be larger than a cookie, which has its sealed id only", async () => {
    const { send, seen, jar, keys } = stand();
    await send("GET", {}, ALICE);
    const cookie = jar.get(SESSION_COOKIE) ?? "";
    expect(cookie.length).toBeLessThan(200);
    const [key] = await keys();
    expect(key?.slice(0, 2)).toEqual(["session", "default"]);
    expect(cookie).not.toContain(key?.[2]);
    await send();
    expect(seen()).toEqual(ALICE);
  });

  test("is gone when it is removed there, and its cookie is left, for the store may lag behind", async () => {
    const { send, seen, keys, inner } = stand();
    await send("GET", {}, ALICE);
    for (const key of await keys()) await inner.remove(key);
    const answer = await send();
    expect(seen()).toBeUndefined();
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test("is removed there when the service ends it", async () => {
    const { send, seen, keys, jar } = stand();
    await send("GET", {}, ALICE);
    const stolen = jar.get(SESSION_COOKIE) ?? "";
    await send("GET", {}, "");
    expect(await keys()).toEqual([]);
    jar.set(SESSION_COOKIE, stolen);
    await send();
    expect(seen()).toBeUndefined();
  });

  test("is kept under a new id when somebody signs in, and the old one is removed", async () => {
    const { send, seen, keys, jar } = stand();
    await send("GET", {}, { cart: [] });
    const before = { keys: await keys(), cookie: jar.get(SESSION_COOKIE) ?? "" };
    await send("GET", {}, ALICE);
    expect(await keys()).toHaveLength(1);
    expect(await keys()).not.toEqual(before.keys);
    jar.set(SESSION_COOKIE, before.cookie);
    await send();
    expect(seen()).toBeUndefined();
  });

  test("is kept under a new id for the same name in another tenant, who is somebody else", async () => {
    const { send, seen, keys, jar } = stand();
    const acme = { sub: "alice", tenant: "acme" };
    await send("GET", {}, acme);
    const before = { keys: await keys(), cookie: jar.get(SESSION_COOKIE) ?? "" };
    await send("GET", {}, { ...acme, cart: [] });
    expect(await keys()).toEqual(before.keys);
    await send("GET", {}, { ...acme, tenant: "rival" });
    expect(await keys()).toHaveLength(1);
    expect(await keys()).not.toEqual(before.keys);
    jar.set(SESSION_COOKIE, before.cookie);
    await send();
    expect(seen()).toBeUndefined();
  });

  test("does not outlive its end in the store", async () => {
    const { send, keys, kv } = stand();
    await send("GET", {}, ALICE);
    kv.now += 3_599_000;
    expect(await keys()).toHaveLength(1);
    kv.now += 2_000;
    expect(await keys()).toEqual([]);
  });

  test("that cannot be read is no reason to be taken for nobody: 503, and the cookie stays", async () => {
    const { send, seen, state, service } = stand();
    await send("GET", {}, ALICE);
    state.away = true;
    const answer = await send();
    expect(answer.status).toBe(503);
    expect(answer.headers.has("retry-after")).toBe(true);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(service.saw).toBeUndefined();
    state.away = false;
    await send();
    expect(seen()).toEqual(ALICE);
  });

  test("that cannot be written leaves the one before, and the answer goes out", async () => {
    const { send, seen, state, jar } = stand();
    state.away = true;
    const answer = await send("GET", {}, ALICE);
    expect(answer.status).toBe(200);
    expect(jar.size).toBe(0);
    state.away = false;
    await send();
    expect(seen()).toBeUndefined();
  });

  test("has a bound", async () => {
    const { send, keys } = stand();
    const answer = await send("GET", {}, { text: "x".repeat(LIMITS.sessionBytes) });
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await keys()).toEqual([]);
  });

  test("is answered 503 where there is no store", async () => {
    const { send, jar } = sessionStand({ settings });
    expect((await send("GET", {}, ALICE)).headers.getSetCookie()).toEqual([]);
    jar.set(SESSION_COOKIE, "k1.something");
    expect((await send()).status).toBe(503);
  });
});

test("a store that never answers holds no request up", async () => {
  const timed: { ms: number; run: () => void }[] = [];
  const silent = <Answer>() => new Promise<Answer>(() => undefined);
  const state = { silent: false };
  const inner = sqliteKeyValue({ path: ":memory:", clock: () => 0 });
  const store: KeyValue = {
    ...inner,
    get: (key) => (state.silent ? silent() : inner.get(key)),
    put: (key, value, options) => (state.silent ? silent() : inner.put(key, value, options)),
  };
  const timer = (ms: number, run: () => void) => {
    const one = { ms, run };
    timed.push(one);
    return () => void timed.splice(timed.indexOf(one), 1);
  };
  const { send } = sessionStand({ settings, store, timer });
  await send("GET", {}, ALICE);
  expect(timed).toEqual([]);
  state.silent = true;
  const waiting = send();
  await vi.waitFor(() => expect(timed).toHaveLength(1));
  expect(timed[0]?.ms).toBe(LIMITS.sessionStoreMs);
  timed[0]?.run();
  expect((await waiting).status).toBe(503);
});
