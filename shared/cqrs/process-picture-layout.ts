/** Where the states and steps of a process stand in its picture: in rows from the beginning to the ends. */
import type { PicturedProcess } from "./process-picture.ts";

export interface Box {
  /** Of its left upper corner. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly states: ReadonlyMap<string, Box>;
  /** In the order of the process' steps. */
  readonly steps: readonly Box[];
  /** Free ground at the left and at the right of everything. */
  readonly lanes: { readonly left: number; readonly right: number };
}

export interface Sizes {
  state(name: string): { readonly width: number; readonly height: number };
  step(index: number): { readonly width: number; readonly height: number };
}

const GAP = 28;
const ROW_GAP = 34;
const LANE = 44;

interface Item {
  readonly width: number;
  readonly height: number;
  /** What comes before it, to stand below that. */
  readonly before: () => readonly Box[];
  readonly place: (box: Box) => void;
}

/** Steps stand between the row of the last state that they lead from, and that of the state that they lead to. */
export const layoutOf = ({ states, steps }: PicturedProcess, sizes: Sizes): Layout => {
  const ranks = ranksOf(states, steps);
  const rankOf = (state: string) => ranks.get(state) ?? 0;
  const placed = new Map<string, Box>();
  const cards: Box[] = [];
  const rows: Item[][] = [];
  const row = (index: number) => {
    rows[index] ??= [];
    return rows[index];
  };
  for (const state of states) {
    const leading = steps.flatMap(({ to }, index) => (to === state ? [index] : []));
    row(rankOf(state) * 2).push({
      ...sizes.state(state),
      before: () => leading.flatMap((index) => cards[index] ?? []),
      place: (box) => placed.set(state, box),
    });
  }
  steps.forEach(({ from }, index) => {
    row(Math.max(...from.map(rankOf)) * 2 + 1).push({
      ...sizes.step(index),
      before: () => from.flatMap((state) => placed.get(state) ?? []),
      place: (box) => {
        cards[index] = box;
      },
    });
  });

  let y = 0;
  for (const items of rows) {
    placeRow(items, y);
    y += Math.max(...items.map(({ height }) => height)) + ROW_GAP;
  }
  return fitted(placed, cards, y - ROW_GAP);
};

/** Each below what comes before it, as far as the others leave it the room. */
const placeRow = (items: readonly Item[], y: number): void => {
  const wanted = items
    .map((item) => ({ item, x: centreOf(item.before()) - item.width / 2 }))
    .sort((a, b) => a.x + a.item.width / 2 - (b.x + b.item.width / 2));
  let right = Number.NEGATIVE_INFINITY;
  const xs = wanted.map(({ item, x }) => {
    const at = Math.max(x, right + GAP);
    right = at + item.width;
    return at;
  });
  const pushed = wanted.reduce((sum, { x }, index) => sum + (xs[index] ?? 0) - x, 0) / wanted.length;
  wanted.forEach(({ item: { width, height, place } }, index) => {
    place({ x: (xs[index] ?? 0) - pushed, y, width, height });
  });
};

const centreOf = (boxes: readonly Box[]): number =>
  boxes.reduce((sum, { x, width }) => sum + x + width / 2, 0) / Math.max(1, boxes.length);

/** Moved so that everything stands right of 0, with its lanes. */
const fitted = (states: ReadonlyMap<string, Box>, steps: readonly Box[], height: number): Layout => {
  const all = [...states.values(), ...steps];
  const left = Math.min(...all.map(({ x }) => x)) - LANE;
  const width = Math.max(...all.map((box) => box.x + box.width)) + LANE - left;
  const moved = (box: Box): Box => ({ ...box, x: box.x - left });
  return {
    width,
    height,
    states: new Map([...states].map(([name, box]) => [name, moved(box)])),
    steps: steps.map(moved),
    lanes: { left: LANE / 2, right: width - LANE / 2 },
  };
};

/** The longest way from the beginning, without those steps that lead back. */
const ranksOf = (states: readonly string[], steps: PicturedProcess["steps"]): ReadonlyMap<string, number> => {
  const back = new Set<string>();
  const seen = new Set<string>();
  const visit = (state: string, path: ReadonlySet<string>) => {
    seen.add(state);
    const here = new Set([...path, state]);
    for (const { from, to } of steps) {
      if (!from.includes(state)) continue;
      if (here.has(to)) back.add(`${state}\n${to}`);
      else if (!seen.has(to)) visit(to, here);
    }
  };
  for (const state of states) if (!seen.has(state)) visit(state, new Set());

  const ranks = new Map(states.map((state) => [state, 0]));
  for (let round = 0; round < states.length; round++) {
    for (const { from, to } of steps) {
      if (from.some((state) => back.has(`${state}\n${to}`))) continue;
      const after = Math.max(...from.map((state) => ranks.get(state) ?? 0)) + 1;
      ranks.set(to, Math.max(ranks.get(to) ?? 0, after));
    }
  }
  return ranks;
};
