/** Entries by the exact value of a header, a query parameter or a cookie: looked up by name and value. */
import type { Condition } from "./conditions.ts";
import { addTo, type Build, type Index } from "./exact-indexes.ts";
import type { ValueSource } from "./request-facts.ts";
import { type Candidates, firstOf, type Item, leastFirst, type Search, searchIn } from "./search.ts";

type Equals = Extract<Condition, { readonly kind: "equals" | "prefix" | "not" }>;

/** Conditions come sorted by name: routes that ask for the same names are told apart by the same one first. */
const asksForValue = (condition: Condition): condition is Equals => condition.kind === "equals";

/** With more names, those that the request has are gone through, not those that routes ask for. */
const FEW_NAMES = 8;

/** What is asked of one name. */
interface Named {
  readonly name: string;
  readonly values: ReadonlyMap<string, Candidates>;
  readonly first: number;
}

export const byValue: Index = (items, build) => {
  const bySource = new Map<ValueSource, Map<string, Map<string, Item[]>>>();
  const others: Item[] = [];
  for (const item of items) {
    const told = item.left.find(asksForValue);
    if (told) {
      const { source, name, value } = told;
      const lists = nested(nested(bySource, source), name);
      addTo(lists, value, { entry: item.entry, left: item.left.filter((each) => each !== told) });
    } else others.push(item);
  }
  if (bySource.size === 0) return undefined;
  const sources = Array.from(bySource, ([source, names]) => sourceIndex(source, names, build));
  const rest = others.length > 0 ? build(others) : undefined;
  return {
    first: firstOf(items),
    search(state) {
      for (const source of sources) searchIn(source, state);
      searchIn(rest, state);
    },
  };
};

const sourceIndex = (
  source: ValueSource,
  names: ReadonlyMap<string, ReadonlyMap<string, readonly Item[]>>,
  build: Build,
): Candidates => {
  const all: Named[] = Array.from(names, ([name, lists]) => {
    const values = new Map(Array.from(lists, ([value, items]) => [value, build(items)] as const));
    return { name, values, first: leastFirst(values.values()) };
  });
  const byName = new Map(all.map((named) => [named.name, named]));
  const searchNamed = ({ name, values, first }: Named, value: string | undefined, state: Search): void => {
    if (first >= state.best) return;
    state.visited++;
    const asked = value ?? state.facts.value(source, name);
    if (asked !== undefined) searchIn(values.get(asked), state);
  };
  return {
    first: leastFirst(all),
    search(state) {
      if (all.length <= FEW_NAMES) for (const named of all) searchNamed(named, undefined, state);
      else {
        for (const [name, value] of state.facts.values(source)) {
          const named = byName.get(name);
          if (named) searchNamed(named, value, state);
        }
      }
    },
  };
};

const nested = <Key, Inner, Value>(maps: Map<Key, Map<Inner, Value>>, key: Key): Map<Inner, Value> => {
  const known = maps.get(key);
  if (known) return known;
  const made = new Map<Inner, Value>();
  maps.set(key, made);
  return made;
};
