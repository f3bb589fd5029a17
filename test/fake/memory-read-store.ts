/** A read store in memory that keeps what the port promises, each call whole or not at all; calls can be made to fail. */
import { type MemoryTables, makeRowChange } from "#shared/cqrs/memory-rows.ts";
import type { Guard, ReadStore } from "#shared/cqrs/read-store.ts";
import type { Row } from "#shared/cqrs/row-change.ts";

export interface MemoryReadStore {
  readonly store: ReadStore;
  /** In the order in which they came. */
  rows(table: string): readonly Row[];
  tables(): readonly string[];
  checkpoints: Map<string, number>;
  /** Runs around each call of the store; what it throws is what the caller sees. */
  around: (method: keyof ReadStore, call: () => Promise<unknown>) => Promise<unknown>;
}

/** @param names of the empty tables that stand at the beginning */
export const memoryReadStore = (...names: string[]): MemoryReadStore => {
  const tables: MemoryTables = new Map(names.map((name) => [name, new Map()]));
  const checkpoints = new Map<string, number>();
  const at = (name: string) => checkpoints.get(name) ?? 0;
  const areAt = (guards: readonly Guard[] = []) => guards.every((guard) => at(guard.name) === guard.at);
  const copyOf = (table: string, suffix: string) => `${table}__${suffix}`;

  const real: ReadStore = {
    checkpoint: async (projection) => at(projection),
    async apply({ projection, from, to, changes, guards }) {
      if (at(projection) !== from || !areAt(guards)) return "moved";
      const changed = new Map([...tables].map(([name, rows]) => [name, new Map(rows)]));
      for (const change of changes) makeRowChange(changed, change);
      for (const [name, rows] of changed) tables.set(name, rows);
      checkpoints.set(projection, to);
      return "applied";
    },
    async createCopies({ tables: wanted, suffix, guards }) {
      if (!areAt(guards)) return "moved";
      for (const table of wanted) {
        const copy = copyOf(table, suffix);
        if (!tables.has(copy)) tables.set(copy, new Map());
      }
      return "made";
    },
    copiesFit: async () => true,
    async takeOver({ tables: wanted, suffix, projection, copy, at: position, keepAs, guards }) {
      if (!areAt(guards)) return "moved";
      if (at(projection) !== position || at(copy) !== position) return "moved";
      for (const table of wanted) {
        const filled = tables.get(copyOf(table, suffix));
        if (!filled) throw new Error(`no such table: ${copyOf(table, suffix)}`);
        if (keepAs !== undefined) tables.set(copyOf(table, keepAs), tables.get(table) ?? new Map());
        tables.set(table, filled);
        tables.delete(copyOf(table, suffix));
      }
      checkpoints.delete(copy);
      return "taken";
    },
    async dropCopies({ tables: wanted, suffix, copy, guards }) {
      if (!areAt(guards)) return "moved";
      for (const table of wanted) tables.delete(copyOf(table, suffix));
      checkpoints.delete(copy);
      return "dropped";
    },
  };

  const memory: MemoryReadStore = {
    store: new Proxy(real, {
      get: (target, method: keyof ReadStore) => (input: never) =>
        memory.around(method, () => target[method](input) as Promise<unknown>),
    }),
    rows: (table) => [...(tables.get(table)?.values() ?? [])],
    tables: () => [...tables.keys()].sort(),
    checkpoints,
    around: (_method, call) => call(),
  };
  return memory;
};
