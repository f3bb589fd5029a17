/** What every read store promises: rows and checkpoint move together or not at all. */
import { type SQL, sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { ReadStore } from "#shared/cqrs/projection.ts";
import { jsonRows } from "#shared/storage/json-rows.ts";

export interface ReadStoreUnderTest {
  /** A store with the empty tables `checkpoints` and `things (id TEXT PRIMARY KEY, text TEXT NOT NULL)`. */
  create(): Promise<{ store: ReadStore; things(): Promise<{ id: string; text: string }[]> }>;
}

const insert = (...rows: { id: string; text: string }[]): SQL[] =>
  jsonRows(rows).map(
    (json) =>
      sql`INSERT INTO things (id, text) SELECT value ->> 'id', value ->> 'text' FROM json_each(${json}) WHERE true
        ON CONFLICT (id) DO UPDATE SET text = excluded.text`,
  );

const broken = sql`INSERT INTO things (id, text) VALUES ('broken', NULL)`;

export const testReadStore = (name: string, { create }: ReadStoreUnderTest): void => {
  describe(`ReadStore: ${name}`, () => {
    it("begins at 0 and keeps rows and checkpoint", async () => {
      const { store, things } = await create();
      expect(await store.checkpoint("p")).toBe(0);
      const statements = insert({ id: "a", text: "1" }, { id: "b", text: "2" });
      expect(await store.apply({ projection: "p", from: 0, to: 7, statements })).toBe("applied");
      expect(await store.checkpoint("p")).toBe(7);
      expect(await things()).toEqual([
        { id: "a", text: "1" },
        { id: "b", text: "2" },
      ]);
    });

    it("runs the statements in order", async () => {
      const { store, things } = await create();
      const statements = [...insert({ id: "a", text: "old" }), ...insert({ id: "a", text: "new" })];
      await store.apply({ projection: "p", from: 0, to: 1, statements });
      expect(await things()).toEqual([{ id: "a", text: "new" }]);
    });

    it("moves the checkpoint also when there is nothing to write", async () => {
      const { store } = await create();
      expect(await store.apply({ projection: "p", from: 0, to: 3, statements: [] })).toBe("applied");
      expect(await store.checkpoint("p")).toBe(3);
    });

    it.each([
      ["behind", 3],
      ["ahead", 9],
    ])("changes nothing for one whose checkpoint is %s", async (_, from) => {
      const { store, things } = await create();
      await store.apply({ projection: "p", from: 0, to: 7, statements: insert({ id: "a", text: "1" }) });
      const statements = insert({ id: "a", text: "changed" }, { id: "b", text: "2" });
      expect(await store.apply({ projection: "p", from, to: 10, statements })).toBe("moved");
      expect(await store.checkpoint("p")).toBe(7);
      expect(await things()).toEqual([{ id: "a", text: "1" }]);
    });

    it("changes nothing for one that believes a new projection to be further", async () => {
      const { store, things } = await create();
      const statements = insert({ id: "a", text: "1" });
      expect(await store.apply({ projection: "p", from: 5, to: 6, statements })).toBe("moved");
      expect(await store.checkpoint("p")).toBe(0);
      expect(await things()).toEqual([]);
    });

    it("leaves rows and checkpoint when a statement fails, and says why", async () => {
      const { store, things } = await create();
      const statements = [...insert({ id: "a", text: "1" }), broken];
      const failing = store.apply({ projection: "p", from: 0, to: 1, statements });
      await expect(failing).rejects.toThrow("things.text");
      expect(await store.checkpoint("p")).toBe(0);
      expect(await things()).toEqual([]);
    });

    it("keeps a checkpoint for each projection", async () => {
      const { store } = await create();
      await store.apply({ projection: "p", from: 0, to: 7, statements: [] });
      await store.apply({ projection: "q", from: 0, to: 2, statements: [] });
      expect([await store.checkpoint("p"), await store.checkpoint("q"), await store.checkpoint("r")]).toEqual(
        [7, 2, 0],
      );
    });

    it("takes a megabyte of rows at once", async () => {
      const { store, things } = await create();
      const rows = Array.from({ length: 4_000 }, (_, n) => ({
        id: `${n}`.padStart(5, "0"),
        text: "ü".repeat(250),
      }));
      await store.apply({ projection: "p", from: 0, to: 4_000, statements: insert(...rows) });
      expect(await things()).toEqual(rows);
    });

    it("lets exactly one of many who apply the same commits win", async () => {
      const { store, things } = await create();
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          store.apply({ projection: "p", from: 0, to: n + 1, statements: insert({ id: `${n}`, text: "" }) }),
        ),
      );
      expect(results.filter((result) => result === "applied")).toHaveLength(1);
      const winner = results.indexOf("applied");
      expect(await store.checkpoint("p")).toBe(winner + 1);
      expect(await things()).toEqual([{ id: `${winner}`, text: "" }]);
    });
  });
};
