/** Entries by the exact value of a header, a query parameter or a cookie: looked up by name and value. */
import type { Condition } from "./conditions.ts";
import { addTo, type Build, type Index } from "./exact-indexes.ts";
import type { ValueSource } from "./request-facts.ts";
import { type Candidates, firstOf, type Item, leastFirst, type Search, searchIn } from "./search.ts";

type Equals = Extract<Condition, { readonly kind: "equals" | "prefix" | "not" }>;

/** With more names, those that the request has are gone through, not those that routes ask for. */
const FEW_NAMES = 8;

/** What is asked of one name. */
interface Named {
  readonly name: string;
  readonly values: ReadonlyMap<string, Candidates>;
  readonly first: number;
}

export const byValue: Index = (items, build) => {
  const distinct = distinctValues(items);
  if (distinct.size === 0) return undefined;
  const bySource = new Map<ValueSource, Map<string, Map<string, Item[]>>>();
  const others: Item[] = [];
  for (const item of items) {
    const told = mostTelling(item, distinct);
    if (told) {
      const { source, name, value } = told;
      const lists = nested(nested(bySource, source), name);
      addTo(lists, value, { entry: item.entry, left: item.left.filter((each) => each !== told) });
    } else others.push(item);
  }
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

const nameKey = ({ source, name }: Equals): string => `${source} ${name}`;

const equalsOf = (item: Item): Equals[] => item.left.filter((each): each is Equals => each.kind === "equals");

/** How many different values the entries ask of each name. */
const distinctValues = (items: readonly Item[]): ReadonlyMap<string, ReadonlySet<string>> => {
  const distinct = new Map<string, Set<string>>();
  for (const item of items) {
    for (const condition of equalsOf(item)) {
      const key = nameKey(condition);
      const values = distinct.get(key) ?? new Set();
      distinct.set(key, values.add(condition.value));
    }
  }
  return distinct;
};

/** The condition whose name tells most entries apart. */
const mostTelling = (item: Item, distinct: ReadonlyMap<string, ReadonlySet<string>>): Equals | undefined => {
  let most: Equals | undefined;
  const values = (condition: Equals) => distinct.get(nameKey(condition))?.size ?? 0;
  for (const condition of equalsOf(item)) if (!most || values(condition) > values(most)) most = condition;
  return most;
};

const nested = <Key, Inner, Value>(maps: Map<Key, Map<Inner, Value>>, key: Key): Map<Inner, Value> => {
  const known = maps.get(key);
  if (known) return known;
  const made = new Map<Inner, Value>();
  maps.set(key, made);
  return made;
};
