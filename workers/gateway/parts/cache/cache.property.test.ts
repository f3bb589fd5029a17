/** What the cache keeps to under any requests and any clock. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Exchange } from "../../exchange.ts";
import { parseCacheControl, secondsOf } from "./cache-control.ts";
import { cacheInVirtualTime, says } from "./cache-in-virtual-time.ts";

const RUNS = { numRuns: 200 };

describe("freshness", () => {
  /** What a service says now, and what a client asks for. */
  const step = fc.oneof(
    fc.record({
      do: fc.constant("get" as const),
      path: fc.constantFrom("/a", "/b"),
      wish: fc.constantFrom("", "max-age=3", "min-fresh=3", "no-cache", "max-stale=3", "max-stale"),
    }),
    fc.record({
      do: fc.constant("say" as const),
      lifetime: fc.integer({ min: 0, max: 10 }),
      age: fc.integer({ min: 0, max: 6 }),
      strict: fc.boolean(),
    }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: -3_000, max: 6_000 }) }),
  );

  /** The rules of RFC 9111 section 4 for what this service says, in whole: kept apart from the code's own way. */
  const allowed = (kept: Kept, wish: string, now: number): boolean => {
    const age = kept.age * 1_000 + Math.max(0, now - kept.at);
    const left = kept.lifetime * 1_000 - age;
    if (wish === "no-cache") return false;
    if (wish === "max-age=3" && age > 3_000) return false;
    if (left > 0) return wish !== "min-fresh=3" || left >= 3_000;
    if (kept.strict) return false;
    return wish === "max-stale" || (wish === "max-stale=3" && left >= -3_000);
  };
  type Kept = { version: number; at: number; age: number; lifetime: number; strict: boolean };

  test("an answer is given from the store exactly when a simple reading of the rules allows it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        let said = { lifetime: 5, age: 0, strict: false };
        let version = 0;
        const world = cacheInVirtualTime({}, () => {
          version++;
          const strict = said.strict ? ", must-revalidate" : "";
          return says(`${version}`, {
            "cache-control": `max-age=${said.lifetime}${strict}`,
            age: `${said.age}`,
          });
        });
        const model = new Map<string, Kept>();
        for (const next of steps) {
          if (next.do === "pass") await world.pass(next.ms);
          else if (next.do === "say") said = next;
          else {
            const kept = model.get(next.path);
            const expected = kept && allowed(kept, next.wish, world.now()) ? kept.version : version + 1;
            const { body } = await world.get(next.path, next.wish ? { "cache-control": next.wish } : {});
            expect(Number(body)).toBe(expected);
            // What comes without being fresh for a moment is not kept, and takes the place of what was.
            if (expected === version && expected !== kept?.version) {
              if (said.lifetime > said.age) model.set(next.path, { ...said, version, at: world.now() });
              else model.delete(next.path);
            }
          }
        }
      }),
      RUNS,
    );
  });
});

describe("bounds and keys", () => {
  const request = fc.record({
    path: fc.constantFrom("/a", "/b", "/c?x=1", "/c?x=2"),
    accept: fc.constantFrom("a/b", "c/d", "e/f", undefined),
    secret: fc.constantFrom("ann", "bob", undefined),
    tenant: fc.constantFrom("acme", "rival", undefined),
    size: fc.integer({ min: 0, max: 5_000 }),
    field: fc.constantFrom("max-age=5", "max-age=60", "private", "no-store", "s-maxage=9", "no-cache"),
    method: fc.constantFrom("GET", "GET", "GET", "GET", "HEAD", "PUT"),
    passMs: fc.constantFrom(0, 0, 5, 400, 20_000),
  });

  test("at any moment its memory is bounded, and nobody gets what is another's", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(4_000, 9_000, 30_000),
        async (requests, bytesMax) => {
          const settings = {
            bytesMax,
            entryBytesMax: 4_000,
            varyMax: 2,
            staleWhileRevalidateSeconds: 10,
            staleIfErrorSeconds: 10,
          };
          const world = cacheInVirtualTime(settings, async ({ url, headers }, { caller }) => {
            await world.pass(1);
            const { size, field } = JSON.parse(headers.get("x-plan") ?? "{}");
            const mine = `${url} ${headers.get("accept")} ${caller?.tenant} ${headers.get("authorization")} ${field} `;
            const own = { "cache-control": field, vary: "accept", etag: `"${mine}"` };
            if (headers.get("if-none-match") === own.etag) return says(null, own, 304);
            return says(mine.padEnd(size, "x"), own);
          });
          const running: Promise<void>[] = [];
          for (const { path, accept, secret, tenant, method, passMs, ...plan } of requests) {
            const headers = {
              "x-plan": JSON.stringify(plan),
              ...(accept && { accept }),
              ...(secret && { authorization: secret }),
            };
            const url = `http://gateway${path}`;
            const of: Partial<Exchange> = tenant
              ? { caller: { subject: "ann", scopes: [], by: "api_key", tenant } }
              : {};
            running.push(
              world.get(path, headers, { method }, of).then(({ status, body }) => {
                expect(status).toBe(200);
                if (method !== "GET") return;
                const address = `${url} ${accept ?? null} ${tenant} `;
                expect(body.slice(0, address.length)).toBe(address);
                // Of what is not a caller's own it gets what says `s-maxage` alone.
                const [whose, field] = body.slice(address.length).split(" ");
                if (field !== "s-maxage=9") expect(whose).toBe(secret ?? "null");
              }),
            );
            await world.pass(passMs);
            // The store, and as much again for bodies that are on their way.
            expect(world.part.bytes()).toBeLessThanOrEqual(2 * bytesMax);
          }
          for (let n = 0; n < 400 && world.sleeping() > 0; n++) await world.pass(25);
          await Promise.all(running);
          await world.settle();
          expect(world.part.bytes()).toBeLessThanOrEqual(bytesMax);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("Cache-Control", () => {
  const token = fc.stringMatching(/^[a-z][a-z-]{0,12}$/);
  const text = fc.stringMatching(/^[ -~]{0,20}$/);

  test("any text is read, without an error and in bounds", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z=",\\ 0-9-]*$/)), (field) => {
        const read = parseCacheControl(field);
        for (const name of read.keys()) {
          expect(name).toBe(name.trim().toLowerCase());
          expect(name).not.toMatch(/[,=]/);
          const seconds = secondsOf(read, name);
          expect(Number.isInteger(seconds) && Number(seconds) >= 0 && Number(seconds) <= 2 ** 31).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("what is written by the rules is read as it was meant, with commas and quotes in its texts", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(token, fc.option(text, { nil: undefined }))), (directives) => {
        const field = directives
          .map(([name, value]) =>
            value === undefined
              ? name
              : `${name}="${value.replace(/["\\]/g, (character) => `\\${character}`)}"`,
          )
          .join(" ,\t");
        const meant = new Map<string, string | undefined>();
        for (const [name, value] of directives) if (!meant.has(name)) meant.set(name, value?.trim());
        expect([...parseCacheControl(field)]).toEqual([...meant]);
      }),
      RUNS,
    );
  });

  test("a field of any length is read in one pass", () => {
    const long = `${'a="'.repeat(100_000)}max-age=1`;
    const began = performance.now();
    parseCacheControl(long);
    parseCacheControl(",".repeat(300_000));
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
