import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MemoryTables, makeRowChange } from "../cqrs/memory-rows.ts";
import type { Projection } from "../cqrs/projection.ts";
import type { Row, RowChange } from "../cqrs/row-change.ts";
import type { Commit } from "../events/event.ts";
import { inTenant } from "../events/tenant-id.ts";
import { tenantProjection } from "./tenant-projection.ts";

const TENANTS = ["acme", "rival", "third"];

/** One row a note, each author's anonymised at once, and one count that all notes have in common. */
const notes: Projection = {
  name: "notes",
  tables: ["notes", "counts"],
  changes(commits) {
    const data = commits.flatMap(({ events }) => events).map((event) => event.data as Row);
    const written = new Map(data.filter(({ text }) => text !== null).map((row) => [row.note, row]));
    const gone = new Set(data.filter(({ text }) => text === null).map(({ author }) => author));
    return [
      { change: "upsert", table: "notes", key: ["note"], rows: [...written.values()] },
      {
        change: "set",
        table: "notes",
        key: ["author"],
        rows: [...gone].map((author) => ({ author: author ?? null, text: "" })),
      },
      ...(written.size > 0
        ? ([
            {
              change: "add",
              table: "counts",
              key: ["name"],
              rows: [{ name: "notes", written: written.size }],
            },
          ] as const)
        : []),
    ];
  },
};

const commitOf = (position: number, id: string, data: Row): Commit => ({
  aggregate: { type: "note", id },
  position,
  commandId: `c${position}`,
  trace: {},
  metadata: {},
  events: [{ type: "Noted", data, id: `c${position}/0`, time: "", version: 1 }],
});

const tablesOf = (batches: readonly (readonly RowChange[])[]): MemoryTables => {
  const tables: MemoryTables = new Map(notes.tables.map((table) => [table, new Map()]));
  for (const change of batches.flat()) makeRowChange(tables, change);
  return tables;
};

const rowsOf = (tables: MemoryTables, tenant?: string) =>
  notes.tables.map((table) =>
    [...(tables.get(table)?.values() ?? [])]
      .filter((row) => tenant === undefined || row.tenant === tenant)
      .map(({ tenant: _, ...row }) => JSON.stringify(row))
      .toSorted(),
  );

const history = fc.array(
  fc.record({
    tenant: fc.constantFrom(...TENANTS),
    note: fc.constantFrom("a", "b", "c"),
    author: fc.constantFrom("ada", "bob"),
    text: fc.option(fc.constantFrom("x", "y")),
  }),
  { maxLength: 40 },
);

describe("a projection of tenants", () => {
  it("makes of each tenant's commits the rows that it would make of them alone, in whatever batches they come", () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 40 }), (happened, together) => {
        const commits = happened.map(({ tenant, ...data }, index) => ({
          tenant,
          alone: commitOf(index + 1, data.note, data),
          mixed: commitOf(index + 1, inTenant(tenant, data.note), data),
        }));
        const batches = Array.from({ length: Math.ceil(commits.length / together) }, (_, batch) =>
          commits.slice(batch * together, (batch + 1) * together),
        );
        const mixed = tablesOf(
          batches.map((batch) => tenantProjection(notes).changes(batch.map((commit) => commit.mixed))),
        );
        for (const tenant of TENANTS) {
          const own = batches.map((batch) => batch.filter((commit) => commit.tenant === tenant));
          const alone = tablesOf(own.map((batch) => notes.changes(batch.map((commit) => commit.alone))));
          expect(rowsOf(mixed, tenant)).toEqual(rowsOf(alone));
        }
      }),
    );
  });

  it("makes no more changes of many tenants' commits than of one's", () => {
    const commits = Array.from({ length: 60 }, (_, n) =>
      commitOf(n + 1, inTenant(`t-${n}`, "a"), { note: "a", author: "ada", text: "x" }),
    );
    const changes = tenantProjection(notes).changes(commits);
    expect(changes.map(({ change, key, rows }) => [change, key, rows.length])).toEqual([
      ["upsert", ["tenant", "note"], 60],
      ["add", ["tenant", "name"], 60],
    ]);
  });

  it("keeps tenants' rows apart that have other columns: a set is of rows with the same", () => {
    const uneven: Projection = {
      name: "uneven",
      tables: ["notes"],
      changes: (commits) =>
        commits.map(({ events }) => {
          const rows = events.map(({ data }) => data as Row);
          return { change: "upsert", table: "notes", key: ["note"], rows };
        }),
    };
    const commits = [
      commitOf(1, "acme.a", { note: "a", text: "x" }),
      commitOf(2, "rival.a", { note: "a", author: "ada" }),
      commitOf(3, "third.a", { text: "z", note: "a" }),
    ];
    const changes = tenantProjection(uneven).changes(commits);
    expect(changes.map(({ rows }) => rows.map(({ tenant }) => tenant))).toEqual([
      ["acme", "third"],
      ["rival"],
    ]);
  });

  it("goes on with the version before in the same way", () => {
    const former = tenantProjection({ ...notes, former: { version: 1, changes: notes.changes } }).former;
    const commit = commitOf(1, "acme.a", { note: "a", author: "ada", text: "x" });
    expect(former?.changes([commit])[0]?.rows).toMatchObject([{ tenant: "acme", note: "a" }]);
  });

  it("stops at a commit that is nobody's, and at a row that says whose it is by itself, in whatever case", () => {
    const projection = tenantProjection(notes);
    expect(() => projection.changes([commitOf(1, "a", { note: "a", text: "x" })])).toThrow("of no tenant");
    for (const column of ["tenant", "Tenant", "TENANT"]) {
      const forged = commitOf(1, "acme.a", { note: "a", [column]: "rival", text: "x" });
      expect(() => projection.changes([forged])).toThrow("left out");
    }
  });

  it("makes rows of the commits' tenant alone, whatever one behind others says", () => {
    const commits = [
      commitOf(1, "acme.a", { note: "a", author: "ada", text: "x" }),
      commitOf(2, "acme.b", { note: "b", author: "ada", text: "x", tenant: "rival" }),
    ];
    const [written] = tenantProjection(notes).changes(commits);
    expect(written?.rows.map(({ tenant }) => tenant)).toEqual(["acme", "acme"]);
  });
});
