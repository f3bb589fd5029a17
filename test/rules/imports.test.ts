/** Holds the import rules of ARCHITECTURE.md against every source of the project. */
import { describe, expect, test } from "vitest";
import { findCycle, type Import, importsOf, readSources } from "./imports.ts";

const sources = readSources();
const imports = sources.flatMap((source) => source.imports);

const PROJECT = /^(cli|nats|otel|shared|test|workers)\//;
const folderOf = (path: string): string => path.split("/")[0] ?? "";
const serviceOf = (path: string): string => path.split("/")[1] ?? "";
/** An `index.ts`, or wiring that several of them share, which stands directly in `workers/`. */
const isCompositionRoot = (path: string): boolean => /^workers\/([^/]+\/index|[^/]+)\.ts$/.test(path);
const isSharedWiring = (path: string): boolean => /^workers\/[^/]+\.ts$/.test(path);
const shown = (found: readonly Import[]): string[] => found.map(({ from, to }) => `${from} imports ${to}`);

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: ["shared"],
  nats: ["nats", "shared"],
  otel: ["otel", "shared"],
  workers: ["workers", "shared", "nats", "otel"],
};

const ADAPTERS_OF: Readonly<Record<string, readonly string[]>> = {
  "shared/events/event-log.ts": ["shared/events/memory-event-log.ts", "nats/jetstream-event-log.ts"],
  "shared/messaging/message-transport.ts": [
    "shared/messaging/memory-message-server.ts",
    "shared/messaging/messenger-transport.ts",
    "nats/messaging/nats-messages.ts",
  ],
  "shared/runtime/actor.ts": ["shared/runtime/durable-actor.ts", "shared/runtime/in-process-actor.ts"],
  "shared/cqrs/read-store.ts": [
    "shared/storage/d1-read-store.ts",
    "shared/storage/libsql-read-store.ts",
    "shared/storage/postgres-read-store.ts",
  ],
  "shared/storage/key-value.ts": ["shared/storage/workers-kv.ts", "shared/storage/sqlite-key-value.ts"],
  "shared/http/upstream.ts": [
    "shared/http/upstream-app.ts",
    "shared/http/upstream-binding.ts",
    "shared/http/upstream-url.ts",
  ],
};
const PORTS = Object.keys(ADAPTERS_OF);
const ADAPTERS = Object.values(ADAPTERS_OF).flat();

interface Rule {
  readonly claim: string;
  breaks(found: Import): boolean;
  /** Breaks it, in the order of from and to. */
  readonly planted: readonly (readonly [string, string])[];
}

const RULES: readonly Rule[] = [
  {
    claim: "import no folder that is above their own",
    breaks: ({ from, to }) =>
      PROJECT.test(to) && MAY_IMPORT[folderOf(from)]?.includes(folderOf(to)) === false,
    planted: [
      ["shared/a.ts", "nats/b.ts"],
      ["nats/a.ts", "otel/b.ts"],
      ["otel/a.ts", "workers/b.ts"],
      ["workers/a.ts", "test/fake/b.ts"],
    ],
  },
  {
    claim: "of a service import another service's contract and nothing else of it",
    breaks: ({ from, to }) =>
      folderOf(from) === "workers" &&
      folderOf(to) === "workers" &&
      serviceOf(from) !== serviceOf(to) &&
      !to.endsWith("/contract.ts") &&
      !(isCompositionRoot(from) && isSharedWiring(to)),
    planted: [
      ["workers/orders/routes.ts", "workers/inventory/domain.ts"],
      ["workers/orders/routes.ts", "workers/event-sourced-service.ts"],
    ],
  },
  {
    claim: "of a domain import types and shared/ only",
    breaks: ({ from, to, typeOnly }) => from.endsWith("/domain.ts") && !typeOnly && folderOf(to) !== "shared",
    planted: [
      ["workers/orders/domain.ts", "node:crypto"],
      ["workers/orders/domain.ts", "workers/orders/routes.ts"],
    ],
  },
  {
    claim: "import cloudflare:workers only where workers are wired",
    breaks: ({ from, to, typeOnly }) => to === "cloudflare:workers" && !typeOnly && !isCompositionRoot(from),
    planted: [
      ["workers/orders/routes.ts", "cloudflare:workers"],
      ["shared/runtime/durable-actor.ts", "cloudflare:workers"],
    ],
  },
  {
    claim: "import an adapter neither from a port nor from another adapter",
    breaks: ({ from, to }) => ADAPTERS.includes(to) && [...PORTS, ...ADAPTERS].includes(from),
    planted: [
      ["shared/runtime/actor.ts", "shared/runtime/durable-actor.ts"],
      ["shared/http/upstream-url.ts", "shared/http/upstream-app.ts"],
    ],
  },
];

describe("the sources", () => {
  test("are all read", () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(sources.length);
  });

  test.each(RULES)("$claim", ({ breaks }) => {
    expect(shown(imports.filter(breaks))).toEqual([]);
  });

  test("of every port and adapter are where the rules look for them", () => {
    const files = sources.map(({ file }) => file);
    expect([...PORTS, ...ADAPTERS].filter((file) => !files.includes(file))).toEqual([]);
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

test.each(
  RULES.flatMap(({ claim, breaks, planted }) => planted.map(([from, to]) => ({ claim, breaks, from, to }))),
)("$from importing $to breaks the rule that the sources $claim", ({ breaks, from, to }) => {
  expect(breaks({ from, to, typeOnly: false })).toBe(true);
});
