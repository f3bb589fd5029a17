import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { JsonObject } from "../control/changes.ts";
import { entriesApart, entryReader } from "./entries-apart.ts";

const start = () => {
  const read: string[] = [];
  const route = z
    .strictObject({ to: z.string().min(1), share: z.int().default(1) })
    .superRefine(({ to }, context) => {
      read.push(to);
      if (to === "nowhere") context.addIssue({ code: "custom", message: "expected somewhere" });
    });
  const routes = z
    .record(z.string().min(1), route)
    .refine((all) => Object.keys(all).length <= 3, "expected at most 3")
    .default({})
    .register(entriesApart, { most: 3 });
  const schema = z.strictObject({ routes, name: z.string().default("none") });
  const startReading = entryReader(schema);
  const parse = (...sides: JsonObject[]) => {
    read.length = 0;
    const reading = startReading();
    const results = sides.map(reading.parse);
    if (results.every(({ success }) => success)) reading.done();
    return { results, data: results.map((result) => result.data), read: [...read] };
  };
  return { schema, parse };
};

const ONE = { routes: { a: { to: "x" }, b: { to: "y" } }, name: "n" };

describe("a record whose entries stand each for itself", () => {
  test("is read as by its schema alone, and only what has changed of it is read again", () => {
    const { schema, parse } = start();
    const first = parse(ONE);
    expect(first.data).toEqual([schema.parse(ONE)]);
    const changed = { routes: { c: { to: "new" }, b: { to: "y" } } };
    const second = parse(changed);
    expect(second.read).toEqual(["new"]);
    expect(second.data).toEqual([schema.parse(changed)]);
    expect(second.data[0]?.routes.b).toBe(first.data[0]?.routes.b);
    expect(Object.isFrozen(second.data[0]?.routes.b)).toBe(true);
    expect(parse({}).data).toEqual([schema.parse({})]);
  });

  test("is refused as a whole, and what was read before is remembered all the same", () => {
    const { parse } = start();
    parse(ONE);
    const { results } = parse({ routes: { a: { to: "x" }, b: { to: "nowhere" } } });
    expect(results[0]?.error?.issues.map(({ path }) => path)).toEqual([["routes", "b"]]);
    expect(parse(ONE).read).toEqual([]);
  });

  test("may have as many entries as it says, however many of them are known", () => {
    const { parse } = start();
    const three = { ...ONE.routes, c: { to: "z" } };
    expect(parse({ routes: three }).results[0]?.success).toBe(true);
    expect(parse({ routes: { ...three, d: { to: "z" } } }).results[0]?.success).toBe(false);
    expect(parse({ routes: { ...three, "": { to: "z" } } }).results[0]?.success).toBe(false);
  });

  test("of another form is the schema's to refuse", () => {
    const { parse } = start();
    for (const routes of [[], null, "a"]) expect(parse({ routes }).results[0]?.success).toBe(false);
  });

  test("is shared between a configuration and its candidate, each with its own form of an entry", () => {
    const { parse } = start();
    const candidate = { routes: { ...ONE.routes, b: { to: "other" } } };
    const first = parse(ONE, candidate);
    expect(first.read).toEqual(["x", "y", "other"]);
    expect(first.data[1]?.routes.a).toBe(first.data[0]?.routes.a);
    expect(parse(candidate).read).toEqual([]);
  });
});
