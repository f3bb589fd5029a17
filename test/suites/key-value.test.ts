import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { expect, test } from "vitest";
import { encodeKey } from "#shared/storage/key-value-limits.ts";
import { sqliteKeyValue } from "#shared/storage/sqlite-key-value.ts";
import { workersKv } from "#shared/storage/workers-kv.ts";
import { describeKeyValue } from "./key-value.ts";

/** Puts many keys within one request: each call from outside takes some milliseconds. */
const FILLING_WORKER = `export default {
  async fetch(request, { KV }) {
    const names = await request.json();
    while (names.length > 0) await Promise.all(names.splice(0, 100).map((name) => KV.put(name, "x")));
    return new Response();
  },
};`;

const startKv = async () => {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        {
          name: "kv",
          modules: true,
          script: FILLING_WORKER,
          compatibilityDate: "2026-10-01",
          kvNamespaces: { KV: "kv" },
        },
      ],
    }),
  );
  const namespace = async () => (await miniflare.getKVNamespace("KV")) as unknown as KVNamespace;
  return { miniflare, namespace };
};

describeKeyValue("Workers KV", async () => {
  const { miniflare, namespace } = await startKv();
  return {
    store: workersKv(await namespace()),
    other: workersKv(await namespace()),
    async fill(keys) {
      const body = JSON.stringify(keys.map(encodeKey));
      await miniflare.dispatchFetch("http://kv", { method: "POST", body });
    },
    stop: () => miniflare.dispose(),
  };
});

test("Workers KV is told the lifetime of a value, and that it ended when put anew", async () => {
  const { miniflare, namespace } = await startKv();
  try {
    const kv = await namespace();
    const before = Math.floor(Date.now() / 1_000);
    await workersKv(kv).put(["a"], "x", { ttlSeconds: 60 });
    const [key] = (await kv.list()).keys;
    expect(key?.expiration).toBeGreaterThanOrEqual(before + 60);
    expect(key?.expiration).toBeLessThanOrEqual(before + 65);
    await workersKv(kv).put(["a"], "x");
    expect((await kv.list()).keys).toEqual([{ name: "a" }]);
  } finally {
    await miniflare.dispose();
  }
});

let now = Date.UTC(2026, 0, 1);

const startFile = async () => {
  const folder = await mkdtemp(join(tmpdir(), "skerry-key-value-"));
  const options = { path: join(folder, "values.db"), clock: () => now };
  const store = sqliteKeyValue(options);
  const other = sqliteKeyValue(options);
  return {
    store,
    other,
    async fill(keys: readonly string[][]) {
      for (const key of keys) await store.put(key, "x");
    },
    async stop() {
      store[Symbol.dispose]();
      other[Symbol.dispose]();
      await rm(folder, { recursive: true });
    },
  };
};

describeKeyValue("SQLite file", startFile, {
  advance: (ms) => {
    now += ms;
  },
});

test("a SQLite file keeps its values when it is closed and opened again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skerry-key-value-"));
  const options = { path: join(folder, "values.db"), clock: () => 0 };
  const first = sqliteKeyValue(options);
  await first.put(["a", "b"], "x");
  first[Symbol.dispose]();
  const second = sqliteKeyValue(options);
  expect(await second.get(["a", "b"])).toBe("x");
  second[Symbol.dispose]();
  await rm(folder, { recursive: true });
});
