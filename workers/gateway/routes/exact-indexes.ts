/** Entries by their host, their methods, and the lots of their weight groups: looked up, not tried one after another. */
import type { Condition } from "./conditions.ts";
import { type Candidates, firstOf, type Item, leastFirst, searchIn } from "./search.ts";

/** What becomes of a part of the entries. */
export type Build = (items: readonly Item[]) => Candidates;

/** Undefined when none of them has such a condition. */
export type Index = (items: readonly Item[], build: Build) => Candidates | undefined;

export const byHost: Index = (items, build) => {
  const parts = taken(items, build, hostKeys);
  if (!parts) return undefined;
  const { found, others } = parts;
  const anyBelow = [...found.keys()].some((host) => host.startsWith("*."));
  return {
    first: firstOf(items),
    search(state) {
      const host = state.facts.host();
      searchIn(found.get(host), state);
      if (anyBelow) {
        for (let dot = host.indexOf(".", 1); dot > 0; dot = host.indexOf(".", dot + 1))
          searchIn(found.get(`*${host.slice(dot)}`), state);
      }
      searchIn(others, state);
    },
  };
};

const hostKeys = (condition: Condition): readonly string[] => {
  if (condition.kind === "host") return [condition.host];
  return condition.kind === "below" ? [`*.${condition.domain}`] : [];
};

export const byMethod: Index = (items, build) => {
  const parts = taken(items, build, (condition) => (condition.kind === "methods" ? condition.methods : []));
  if (!parts) return undefined;
  const { found, others } = parts;
  return {
    first: firstOf(items),
    search(state) {
      searchIn(found.get(state.facts.method()), state);
      searchIn(others, state);
    },
  };
};

/** A group is asked once, for whom it drew. */
export const byDraw: Index = (items, build) => {
  const parts = taken(items, build, (condition) =>
    condition.kind === "drawn" ? [`${condition.group} ${condition.member}`] : [],
  );
  if (!parts) return undefined;
  const { found, others } = parts;
  const members = new Map<number, Map<number, Candidates>>();
  for (const [key, candidates] of found) {
    const [group = 0, member = 0] = key.split(" ").map(Number);
    members.set(group, (members.get(group) ?? new Map()).set(member, candidates));
  }
  // The keys were met by rank, and with them the groups.
  const groups = Array.from(members, ([group, drawn]) => ({
    group,
    drawn,
    first: leastFirst(drawn.values()),
  }));
  return {
    first: firstOf(items),
    search(state) {
      for (const { group, drawn, first } of groups) {
        if (first >= state.best) break;
        state.visited++;
        searchIn(drawn.get(state.groups.drawn(group)), state);
      }
      searchIn(others, state);
    },
  };
};

interface Taken {
  readonly found: ReadonlyMap<string, Candidates>;
  /** Those without such a condition. */
  readonly others: Candidates | undefined;
}

/** Each under the keys of its condition, which need not be tried any more; undefined when none has such a condition. */
const taken = (
  items: readonly Item[],
  build: Build,
  keysOf: (condition: Condition) => readonly string[],
): Taken | undefined => {
  const lists = new Map<string, Item[]>();
  const others: Item[] = [];
  for (const item of items) {
    const condition = item.left.find((each) => keysOf(each).length > 0);
    if (!condition) others.push(item);
    else {
      const left = item.left.filter((each) => each !== condition);
      for (const key of new Set(keysOf(condition))) addTo(lists, key, { entry: item.entry, left });
    }
  }
  if (lists.size === 0) return undefined;
  const found = new Map(Array.from(lists, ([key, list]) => [key, build(list)] as const));
  return { found, others: others.length > 0 ? build(others) : undefined };
};

/** Keeps the order in which they come, which is by rank. */
export const addTo = <Key>(lists: Map<Key, Item[]>, key: Key, item: Item): void => {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
};
