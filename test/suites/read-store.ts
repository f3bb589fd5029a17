/** What every read store promises: rows and checkpoint move together or not at all, and every change comes to the same rows. */
import { describe, expect, it } from "vitest";
import type { ReadStore } from "#shared/cqrs/read-store.ts";
import type { Row, RowChange, RowChangeKind } from "#shared/cqrs/row-change.ts";

export interface ReadStoreGround {
  readonly store: ReadStore;
  rows(query: string): Promise<Record<string, unknown>[]>;
  run(...statements: string[]): Promise<void>;
}

export interface ReadStoreUnderTest {
  /** Names of column types in this dialect. */
  readonly types: {
    readonly integer: string;
    readonly real: string;
    readonly flag: string;
    readonly json: string;
  };
  /** How a flag and a JSON document come back from the driver. */
  readonly readFlag: (value: unknown) => boolean | null;
  readonly readJson: (value: unknown) => unknown;
  /** Of all tables, and of the indexes that a statement made, sorted. */
  names(ground: ReadStoreGround): Promise<string[]>;
  /** A store with the empty tables that {@link tablesOf} names. */
  create(): Promise<ReadStoreGround>;
}

/** Statements that make the suite's tables. */
export const tablesOf = ({ integer, real, flag, json }: ReadStoreUnderTest["types"]): string[] => [
  `CREATE TABLE checkpoints (name TEXT PRIMARY KEY, position ${integer} NOT NULL)`,
  "CREATE TABLE things (id TEXT PRIMARY KEY, text TEXT NOT NULL)",
  `CREATE TABLE kinds (tenant TEXT NOT NULL, n ${integer} NOT NULL, text TEXT, number ${real}, flag ${flag}, doc ${json}, PRIMARY KEY (tenant, n))`,
  `CREATE TABLE sums (id TEXT PRIMARY KEY, value TEXT NOT NULL DEFAULT 'none', count ${integer} NOT NULL, total ${integer})`,
];

const things = (change: RowChangeKind, ...rows: Row[]): RowChange => ({
  change,
  table: "things",
  key: ["id"],
  rows,
});

export const testReadStore = (name: string, under: ReadStoreUnderTest): void => {
  const create = async () => {
    const ground = await under.create();
    return {
      ...ground,
      things: () => ground.rows("SELECT id, text FROM things ORDER BY id"),
      make: (...changes: RowChange[]) =>
        ground.store
          .checkpoint("p")
          .then((from) => ground.store.apply({ projection: "p", from, to: from + 1, changes })),
    };
  };

  describe(`ReadStore: ${name}, the checkpoint`, () => {
    it("begins at 0 and moves with the rows", async () => {
      const { store, things: standing } = await create();
      expect(await store.checkpoint("p")).toBe(0);
      const changes = [things("upsert", { id: "a", text: "1" }, { id: "b", text: "2" })];
      expect(await store.apply({ projection: "p", from: 0, to: 7, changes })).toBe("applied");
      expect(await store.checkpoint("p")).toBe(7);
      expect(await standing()).toEqual([
        { id: "a", text: "1" },
        { id: "b", text: "2" },
      ]);
    });

    it("moves also when there is nothing to write, backwards and below 0 too", async () => {
      const { store } = await create();
      for (const [from, to] of [
        [0, 3],
        [3, 3],
        [3, -(2 ** 45)],
        [-(2 ** 45), 2 ** 45],
      ] as const) {
        expect(await store.apply({ projection: "p", from, to, changes: [] })).toBe("applied");
        expect(await store.checkpoint("p")).toBe(to);
      }
    });

    it.each([
      ["behind", 3],
      ["ahead", 9],
      ["at the beginning", 0],
    ])("keeps rows and itself from one who believes it %s", async (_, from) => {
      const { store, things: standing } = await create();
      await store.apply({
        projection: "p",
        from: 0,
        to: 7,
        changes: [things("upsert", { id: "a", text: "1" })],
      });
      const changes = [things("upsert", { id: "a", text: "changed" }, { id: "b", text: "2" })];
      expect(await store.apply({ projection: "p", from, to: 10, changes })).toBe("moved");
      expect(await store.checkpoint("p")).toBe(7);
      expect(await standing()).toEqual([{ id: "a", text: "1" }]);
    });

    it("keeps a new projection from one who believes it to be further", async () => {
      const { store, things: standing } = await create();
      const changes = [things("upsert", { id: "a", text: "1" })];
      expect(await store.apply({ projection: "p", from: 5, to: 6, changes })).toBe("moved");
      expect(await store.checkpoint("p")).toBe(0);
      expect(await standing()).toEqual([]);
    });

    it("stays with the rows when a change fails, which says why", async () => {
      const { store, things: standing } = await create();
      const changes = [
        things("upsert", { id: "a", text: "1" }),
        things("upsert", { id: "broken", text: null }),
      ];
      const failing = store.apply({ projection: "p", from: 0, to: 1, changes });
      await expect(failing).rejects.toThrow(/things.*text|text.*things/);
      expect(await store.checkpoint("p")).toBe(0);
      expect(await standing()).toEqual([]);
    });

    it("is each projection's own", async () => {
      const { store } = await create();
      await store.apply({ projection: "p", from: 0, to: 7, changes: [] });
      await store.apply({ projection: "q#1!x", from: 0, to: 2, changes: [] });
      const names = ["p", "q#1!x", "r"];
      expect(await Promise.all(names.map((name) => store.checkpoint(name)))).toEqual([7, 2, 0]);
    });

    it("lets exactly one of many win who apply the same commits", async () => {
      const { store, things: standing } = await create();
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          store.apply({
            projection: "p",
            from: 0,
            to: n + 1,
            changes: [things("upsert", { id: `${n}`, text: "" })],
          }),
        ),
      );
      expect(results.filter((result) => result === "applied")).toHaveLength(1);
      const winner = results.indexOf("applied");
      expect(await store.checkpoint("p")).toBe(winner + 1);
      expect(await standing()).toEqual([{ id: `${winner}`, text: "" }]);
    });
  });

  describe(`ReadStore: ${name}, row changes`, () => {
    it("makes them in order", async () => {
      const { make, things: standing } = await create();
      await make(
        things("upsert", { id: "a", text: "old" }, { id: "b", text: "old" }),
        things("delete", { id: "b" }),
        things("upsert", { id: "a", text: "new" }),
      );
      expect(await standing()).toEqual([{ id: "a", text: "new" }]);
    });

    it.each<[RowChangeKind, Row[]]>([
      [
        "insert",
        [
          { id: "new", text: "given" },
          { id: "old", text: "stood" },
        ],
      ],
      [
        "upsert",
        [
          { id: "new", text: "given" },
          { id: "old", text: "given" },
        ],
      ],
      [
        "merge",
        [
          { id: "new", text: "given" },
          { id: "old", text: "given" },
        ],
      ],
      ["update", [{ id: "old", text: "given" }]],
      ["set", [{ id: "old", text: "given" }]],
      ["delete", []],
    ])("%s of a row that stands and of one that does not", async (change, expected) => {
      const { make, things: standing } = await create();
      await make(things("insert", { id: "old", text: "stood" }));
      await make(things(change, { id: "old", text: "given" }, { id: "new", text: "given" }));
      expect(await standing()).toEqual(expected);
    });

    it.each<[RowChangeKind, "null" | "kept"]>([
      ["upsert", "null"],
      ["merge", "kept"],
      ["update", "kept"],
      ["set", "null"],
    ])("%s with null: %s", async (change, then) => {
      const { make, rows } = await create();
      const key = ["tenant", "n"];
      const row = { tenant: "t", n: 1, text: "stood", number: 1.5 };
      await make({ change: "insert", table: "kinds", key, rows: [row] });
      await make({ change, table: "kinds", key, rows: [{ ...row, text: null, number: 2.5 }] });
      const text = then === "null" ? null : "stood";
      expect(await rows("SELECT text, number FROM kinds")).toEqual([{ text, number: 2.5 }]);
    });

    it("merges null into a column that takes none where a row stands", async () => {
      const { make, things: standing } = await create();
      await make(things("insert", { id: "a", text: "stood" }));
      await make(things("merge", { id: "a", text: null }, { id: "b", text: "new" }));
      expect(await standing()).toEqual([
        { id: "a", text: "stood" },
        { id: "b", text: "new" },
      ]);
      await expect(make(things("merge", { id: "c", text: null }))).rejects.toThrow();
    });

    it("adds to what stands or to nothing, null as 0, and leaves other columns", async () => {
      const { make, rows } = await create();
      const sums = (...added: Row[]): RowChange => ({
        change: "add",
        table: "sums",
        key: ["id"],
        rows: added,
      });
      await make(sums({ id: "a", count: 1, total: null }, { id: "b", count: -3, total: 4 }));
      await make({ change: "update", table: "sums", key: ["id"], rows: [{ id: "a", value: "first" }] });
      await make(sums({ id: "a", count: 2 ** 45, total: 5 }));
      const standing = await rows("SELECT id, value, count, total FROM sums ORDER BY id");
      expect(standing.map((row) => ({ ...row, count: Number(row.count), total: Number(row.total) }))).toEqual(
        [
          { id: "a", value: "first", count: 2 ** 45 + 1, total: 5 },
          { id: "b", value: "none", count: -3, total: 4 },
        ],
      );
    });

    it("finds rows by all columns of the key, and no others", async () => {
      const { make, rows } = await create();
      const kinds = (change: RowChangeKind, ...given: Row[]): RowChange => ({
        change,
        table: "kinds",
        key: ["tenant", "n"],
        rows: given,
      });
      const all = ["a", "b"].flatMap((tenant) => [1, 2].map((n) => ({ tenant, n, text: "stood" })));
      await make(kinds("insert", ...all));
      await make(
        kinds("update", { tenant: "a", n: 2, text: "changed" }, { tenant: "c", n: 1, text: "none" }),
        kinds("delete", { tenant: "b", n: 1 }),
      );
      const standing = await rows("SELECT tenant, n, text FROM kinds ORDER BY tenant, n");
      expect(standing.map(({ tenant, n, text }) => `${tenant}${n} ${text}`)).toEqual([
        "a1 stood",
        "a2 changed",
        "b2 stood",
      ]);
    });

    it("sets all rows with the key's values where the key names several, and no other column", async () => {
      const { make, rows } = await create();
      const standing = ["a", "a", "b"].map((tenant, n) => ({ tenant, n, text: "stood", number: n }));
      await make({ change: "insert", table: "kinds", key: ["tenant", "n"], rows: standing });
      const forgotten = [
        { tenant: "a", text: null },
        { tenant: "c", text: null },
      ];
      await make({ change: "set", table: "kinds", key: ["tenant"], rows: forgotten });
      const found = await rows("SELECT n, text, number FROM kinds ORDER BY n");
      expect(found.map((row) => [Number(row.n), row.text, Number(row.number)])).toEqual([
        [0, null, 0],
        [1, null, 1],
        [2, "stood", 2],
      ]);
    });

    it("writes every kind of value as its column has it", async () => {
      const { make, rows } = await create();
      const given: Row[] = [
        {
          tenant: "te\"n'a%_\\nt",
          n: 1,
          text: "ü€😀\n\t",
          number: 0.1,
          flag: true,
          doc: { a: [1, { b: null }] },
        },
        { tenant: "", n: Number.MAX_SAFE_INTEGER, text: "", number: -1e300, flag: false, doc: [] },
        { tenant: "1", n: -5, text: "12", number: 3, flag: null, doc: null },
      ];
      await make({ change: "insert", table: "kinds", key: ["tenant", "n"], rows: given });
      const standing = await rows("SELECT * FROM kinds");
      const read = standing.map(({ n, flag, doc, ...row }) => ({
        ...row,
        n: Number(n),
        flag: under.readFlag(flag),
        doc: under.readJson(doc),
      }));
      expect(new Set(read.map((row) => JSON.stringify(row, Object.keys(row).sort())))).toEqual(
        new Set(given.map((row) => JSON.stringify(row, Object.keys(row).sort()))),
      );
      expect(read).toHaveLength(3);
      expect(read).toEqual(expect.arrayContaining(given));
    });

    it("takes changes without rows, and rows of nothing but a key", async () => {
      const { make, rows, run } = await create();
      await run("CREATE TABLE marks (id TEXT PRIMARY KEY)");
      const marks = (change: RowChangeKind): RowChange => ({
        change,
        table: "marks",
        key: ["id"],
        rows: [{ id: "a" }],
      });
      await make(
        ...(["insert", "upsert", "merge", "update", "set", "add"] as const).map(marks),
        things("update"),
      );
      expect(await rows("SELECT id FROM marks")).toEqual([{ id: "a" }]);
      await make(marks("delete"));
      expect(await rows("SELECT id FROM marks")).toEqual([]);
    });

    it.each<[string, RowChange, string]>([
      [
        "a key twice",
        things("upsert", { id: "a", text: "1" }, { id: "a", text: "2" }),
        "row 2 has a key that is there twice",
      ],
      ["other columns", things("upsert", { id: "a", text: "1" }, { id: "b" }), 'expected "id, text" of each'],
      ["no key", { ...things("insert", { id: "a" }), key: [] }, "has no key"],
      ["a name of more than letters", { ...things("insert", { id: "a" }), table: 'x" --' }, 'Naming "x" --"'],
      ["such a column", things("upsert", { id: "a", 'x"': 1 }), "in SQL"],
    ])("refuses %s, and changes nothing", async (_, change, message) => {
      const { make, store, things: standing } = await create();
      await expect(make(change)).rejects.toThrow(message);
      expect([await store.checkpoint("p"), await standing()]).toEqual([0, []]);
    });

    it("takes megabytes of rows at once", async () => {
      const { make, things: standing } = await create();
      const rows = Array.from({ length: 6_000 }, (_, n) => ({
        id: `${n}`.padStart(5, "0"),
        text: "ü".repeat(250),
      }));
      await make(things("insert", ...rows));
      expect(await standing()).toEqual(rows);
    });
  });

  describe(`ReadStore: ${name}, copies`, () => {
    const tables = ["things", "sums"];
    const suffix = "v2";
    const copies = { tables, suffix, copy: "p@v2" };
    const after = { ...copies, projection: "p" };

    const filled = async () => {
      const ground = await create();
      await ground.run(
        "CREATE INDEX things_by_text ON things (text, id)",
        "CREATE UNIQUE INDEX sums_by_value ON sums (value)",
      );
      await ground.make(things("insert", { id: "a", text: "old" }, { id: "b", text: "old" }));
      await ground.store.createCopies(copies);
      const changes = [
        { ...things("insert", { id: "a", text: "new" }), table: "things__v2" },
        {
          change: "upsert" as const,
          table: "sums__v2",
          key: ["value"],
          rows: [{ id: "s", value: "first", count: 1 }],
        },
      ];
      await ground.store.apply({ projection: "p@v2", from: 0, to: 1, changes });
      return ground;
    };
    const texts = (ground: Pick<ReadStoreGround, "rows">, table = "things") =>
      ground.rows(`SELECT id, text FROM ${table} ORDER BY id`);

    it("are empty and stand beside the tables, which do not change", async () => {
      const { store, rows, make } = await create();
      await make(things("insert", { id: "a", text: "old" }));
      await store.createCopies(copies);
      expect(await rows("SELECT * FROM things__v2")).toEqual([]);
      expect(await rows("SELECT * FROM sums__v2")).toEqual([]);
      expect(await rows("SELECT id FROM things")).toEqual([{ id: "a" }]);
    });

    it("are kept when they stand already", async () => {
      const ground = await filled();
      await ground.store.createCopies(copies);
      expect(await texts(ground, "things__v2")).toEqual([{ id: "a", text: "new" }]);
    });

    it("have the columns' defaults, bounds and keys", async () => {
      const { store, rows } = await filled();
      const into = (row: Row) =>
        store.apply({
          projection: "p@v2",
          from: 1,
          to: 2,
          changes: [{ change: "insert", table: "sums__v2", key: ["id"], rows: [row] }],
        });
      await expect(into({ id: "t", count: null })).rejects.toThrow();
      await expect(into({ id: "t", value: "first", count: 1 })).rejects.toThrow();
      await into({ id: "t", count: 1 });
      expect(await rows("SELECT value FROM sums__v2 WHERE id = 't'")).toEqual([{ value: "none" }]);
    });

    it("take the tables' places, with the names of their indexes, and the copy's checkpoint goes", async () => {
      const ground = await filled();
      expect(await ground.store.takeOver({ ...after, at: 1 })).toBe("taken");
      expect(await texts(ground)).toEqual([{ id: "a", text: "new" }]);
      expect(await ground.rows("SELECT id, value FROM sums")).toEqual([{ id: "s", value: "first" }]);
      expect([await ground.store.checkpoint("p"), await ground.store.checkpoint("p@v2")]).toEqual([1, 0]);
      expect(await under.names(ground)).toEqual([
        "checkpoints",
        "kinds",
        "sums",
        "sums_by_value",
        "things",
        "things_by_text",
      ]);
      await ground.run(
        "DROP INDEX things_by_text",
        "DROP INDEX sums_by_value",
        "ALTER TABLE things ADD more TEXT",
      );
    });

    it.each([
      ["the standing checkpoint", 2, 1],
      ["the copy's checkpoint", 1, 2],
      ["neither", 3, 3],
    ])("do not, and nothing changes, when %s is elsewhere", async (_, standing, copy) => {
      const ground = await filled();
      await ground.store.apply({ projection: "p", from: 1, to: standing, changes: [] });
      await ground.store.apply({ projection: "p@v2", from: 1, to: copy, changes: [] });
      expect(await ground.store.takeOver({ ...after, at: 1 })).toBe("moved");
      expect(await texts(ground)).toEqual([
        { id: "a", text: "old" },
        { id: "b", text: "old" },
      ]);
      expect([await ground.store.checkpoint("p"), await ground.store.checkpoint("p@v2")]).toEqual([
        standing,
        copy,
      ]);
    });

    it("take over once, also when that is asked for twice at a time", async () => {
      const ground = await filled();
      const both = [1, 2].map(() => ground.store.takeOver({ ...after, at: 1 }).catch(() => "failed"));
      expect((await Promise.all(both)).filter((answer) => answer === "taken")).toHaveLength(1);
      expect(await texts(ground)).toEqual([{ id: "a", text: "new" }]);
      expect(await ground.store.takeOver({ ...after, at: 1 })).toBe("moved");
    });

    it("leave the tables under another name when these are to be kept, until they are dropped", async () => {
      const ground = await filled();
      expect(await ground.store.takeOver({ ...after, at: 1, keepAs: "old" })).toBe("taken");
      expect(await texts(ground, "things__old")).toHaveLength(2);
      expect(await texts(ground)).toEqual([{ id: "a", text: "new" }]);
      await ground.store.dropCopies({ tables, suffix: "old", copy: "p@old" });
      await expect(texts(ground, "things__old")).rejects.toThrow();
      expect(await texts(ground)).toHaveLength(1);
    });

    it("can be made, filled and taken again and again", async () => {
      const ground = await filled();
      await ground.store.takeOver({ ...after, at: 1, keepAs: "old" });
      for (let round = 1; round < 4; round++) {
        await ground.store.dropCopies({ tables, suffix: "old", copy: "p@old" });
        await ground.store.createCopies(copies);
        const changes = [{ ...things("insert", { id: "r", text: `${round}` }), table: "things__v2" }];
        await ground.store.apply({ projection: "p@v2", from: 0, to: 1, changes });
        expect(await ground.store.takeOver({ ...after, at: 1, keepAs: "old" })).toBe("taken");
        expect(await texts(ground)).toEqual([{ id: "r", text: `${round}` }]);
      }
      const names = await under.names(ground);
      expect(names.filter((name) => !name.endsWith("__old"))).toEqual([
        "checkpoints",
        "kinds",
        "sums",
        "sums_by_value",
        "things",
        "things_by_text",
      ]);
    });

    it("go with their checkpoint when they are dropped, also when there are none", async () => {
      const ground = await filled();
      for (let time = 0; time < 2; time++) {
        await ground.store.dropCopies(copies);
        expect(await ground.store.checkpoint("p@v2")).toBe(0);
        await expect(texts(ground, "things__v2")).rejects.toThrow();
      }
      expect(await texts(ground)).toHaveLength(2);
    });

    it("show readers the old rows or the new ones, at every moment", async () => {
      const ground = await filled();
      const seen = new Set<string>();
      let taken = false;
      const read = async () => {
        do seen.add((await texts(ground)).map(({ text }) => text).join());
        while (!taken);
      };
      const readers = [read(), read(), read()];
      expect(await ground.store.takeOver({ ...after, at: 1 })).toBe("taken");
      taken = true;
      await Promise.all(readers);
      seen.add((await texts(ground)).map(({ text }) => text).join());
      expect([...seen].sort()).toEqual(["new", "old,old"]);
    });

    it.each([
      [
        "a checkpoint that is elsewhere",
        [
          { name: "p", at: 1 },
          { name: "other", at: 6 },
        ],
      ],
      ["one that was never written", [{ name: "never", at: 1 }]],
      ["one that was written and is to be new", [{ name: "other", at: 0 }]],
    ])("and rows stay as they are, all, when a transaction is guarded by %s", async (_, guards) => {
      const ground = await filled();
      const { store } = ground;
      await store.apply({ projection: "other", from: 0, to: -(2 ** 45), changes: [] });
      const names = await under.names(ground);
      const changes = [things("upsert", { id: "a", text: "changed" })];
      expect(await store.apply({ projection: "p", from: 1, to: 2, changes, guards })).toBe("moved");
      expect(await store.createCopies({ tables, suffix: "v3", guards })).toBe("moved");
      expect(await store.dropCopies({ ...copies, guards })).toBe("moved");
      expect(await store.takeOver({ ...after, at: 1, guards })).toBe("moved");
      expect(await under.names(ground)).toEqual(names);
      expect([await store.checkpoint("p"), await store.checkpoint("p@v2")]).toEqual([1, 1]);
      expect(await texts(ground)).toHaveLength(2);
      expect((await texts(ground)).map(({ text }) => text)).toEqual(["old", "old"]);
    });

    it("are made, taken and dropped under guards that hold, which stay where they are", async () => {
      const ground = await filled();
      const { store } = ground;
      await store.apply({ projection: "other", from: 0, to: -(2 ** 45), changes: [] });
      const guards = [
        { name: "never", at: 0 },
        { name: "other", at: -(2 ** 45) },
      ];
      const changes = [things("upsert", { id: "a", text: "changed" })];
      expect(await store.apply({ projection: "q", from: 0, to: 2, changes, guards })).toBe("applied");
      expect(await store.takeOver({ ...after, at: 1, guards })).toBe("taken");
      expect(await store.createCopies({ ...copies, guards })).toBe("made");
      expect(await store.dropCopies({ ...copies, guards })).toBe("dropped");
      expect([await store.checkpoint("never"), await store.checkpoint("other")]).toEqual([0, -(2 ** 45)]);
      expect(await texts(ground)).toEqual([{ id: "a", text: "new" }]);
    });

    it.each([
      ["a view", "CREATE VIEW shown AS SELECT id FROM things"],
      ["a foreign key of another table", "CREATE TABLE parts (id TEXT REFERENCES things (id))"],
    ])("are not made of a table that %s hangs on, for that would stay behind", async (_, statement) => {
      const { store, run } = await create();
      await run(statement);
      await expect(store.createCopies(copies)).rejects.toThrow('Copying the table "things"');
    });

    it("do not take over from a table that has changed since, whose new column they lack", async () => {
      const ground = await filled();
      expect(await ground.store.copiesFit(copies)).toBe(true);
      await ground.run("ALTER TABLE things ADD more TEXT");
      expect(await ground.store.copiesFit(copies)).toBe(false);
      await expect(ground.store.takeOver({ ...after, at: 1 })).rejects.toThrow("has changed since");
      expect(await texts(ground)).toHaveLength(2);
      expect(await ground.store.checkpoint("p@v2")).toBe(1);
    });
  });
};
