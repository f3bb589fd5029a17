/** Holds the import rules of ARCHITECTURE.md against every source of the project. */
import { describe, expect, test } from "vitest";
import { findCycle, type Import, importsOf, readSources } from "./imports.ts";

const sources = readSources();
const imports = sources.flatMap((source) => source.imports);

const PROJECT = /^(cli|nats|otel|shared|test|workers)\//;
const folderOf = (path: string): string => path.split("/")[0] ?? "";
const serviceOf = (path: string): string => path.split("/")[1] ?? "";
const inProject = ({ to }: Import): boolean => PROJECT.test(to);
/** An `index.ts`, or wiring that several of them share, which stands directly in `workers/`. */
const isCompositionRoot = (path: string): boolean => /^workers\/([^/]+\/index|[^/]+)\.ts$/.test(path);
const shown = (found: readonly Import[]): string[] => found.map(({ from, to }) => `${from} imports ${to}`);

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: ["shared"],
  nats: ["nats", "shared"],
  otel: ["otel", "shared"],
  workers: ["workers", "shared", "nats", "otel"],
};

describe("the sources", () => {
  test("are all read", () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(sources.length);
  });

  test.each(Object.entries(MAY_IMPORT))("of %s import nothing of the project but %j", (folder, allowed) => {
    const found = imports.filter(inProject).filter(({ from }) => folderOf(from) === folder);
    expect(shown(found.filter(({ to }) => !allowed.includes(folderOf(to))))).toEqual([]);
  });

  test("of a service import another service's contract and nothing else of it", () => {
    const across = imports.filter(
      ({ from, to }) =>
        folderOf(from) === "workers" && folderOf(to) === "workers" && serviceOf(from) !== serviceOf(to),
    );
    const wiring = ({ from, to }: Import) => isCompositionRoot(from) && /^workers\/[^/]+\.ts$/.test(to);
    expect(shown(across.filter((found) => !found.to.endsWith("/contract.ts") && !wiring(found)))).toEqual([]);
  });

  test("of a domain import types and shared/ only", () => {
    const found = imports.filter(({ from, typeOnly }) => from.endsWith("/domain.ts") && !typeOnly);
    expect(shown(found.filter(({ to }) => folderOf(to) !== "shared"))).toEqual([]);
  });

  test("import cloudflare:workers only where workers are wired", () => {
    const found = imports.filter(({ to, typeOnly }) => to === "cloudflare:workers" && !typeOnly);
    expect(shown(found.filter(({ from }) => !isCompositionRoot(from)))).toEqual([]);
  });

  test("never need each other in a circle", () => {
    expect(findCycle(imports)).toBeNull();
  });

  test("hold no barrel: no file only passes on what others export", () => {
    const barrels = sources.filter(({ text }) => {
      const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "").trim();
      return code !== "" && code.replace(/export\s+(type\s+)?[{*][^;]*?from\s*"[^"]+";?/g, "").trim() === "";
    });
    expect(barrels.map(({ file }) => file)).toEqual([]);
  });
});

describe("reading imports", () => {
  const text = [
    'import { a } from "./a.ts";',
    'import type { B } from "#shared/b.ts";',
    "import {",
    "  c,",
    '} from "../c.ts";',
    'export { d } from "./d.ts";',
    'import "./e.ts";',
    'const f = await import("./f.ts");',
  ].join("\n");

  test("finds every form of them, and which are types only", () => {
    expect(importsOf("nats/x/y.ts", text).map(({ to, typeOnly }) => [to, typeOnly])).toEqual([
      ["nats/x/a.ts", false],
      ["shared/b.ts", true],
      ["nats/c.ts", false],
      ["nats/x/d.ts", false],
      ["nats/x/e.ts", false],
      ["nats/x/f.ts", false],
    ]);
  });

  test("a circle is found, save one of types", () => {
    const edge = (from: string, to: string, typeOnly = false) => ({ from, to, typeOnly });
    expect(findCycle([edge("a", "b"), edge("b", "c"), edge("c", "b")])).toEqual(["b", "c", "b"]);
    expect(findCycle([edge("a", "b"), edge("b", "a", true)])).toBeNull();
  });
});
