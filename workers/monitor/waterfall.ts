/** Arranges a trace's spans for the waterfall: nested by parent, in order, on one time axis. */
import type { StoredSpan } from "./stored-span.ts";

/** One line of the waterfall. */
export interface WaterfallRow {
  readonly span: StoredSpan;
  /** 0 for the roots. */
  readonly depth: number;
  readonly childCount: number;
  /**
   * The parent has not come (yet), or the spans name each other as parents in a circle. The earliest span is none when
   * no other is the root: then a client began the trace, and its span is never seen here.
   */
  readonly orphan: boolean;
  /** Microseconds after the trace's start, after correction. */
  readonly startOffsetUs: number;
  readonly durationUs: number;
  /** How much later the span is drawn than its own clock says, because it cannot have begun before its parent. */
  readonly shiftUs: number;
}

export interface Waterfall {
  readonly startUs: number;
  readonly durationUs: number;
  readonly rows: readonly WaterfallRow[];
}

type Placed = Omit<WaterfallRow, "startOffsetUs" | "durationUs">;

/** Every span has exactly one row, whatever its parent says. */
export const waterfallOf = (spans: readonly StoredSpan[]): Waterfall => {
  const placed = placeAll(spans);
  const starts = placed.map(({ span, shiftUs }) => span.startUs + shiftUs);
  const startUs = starts.reduce((least, start) => Math.min(least, start), starts[0] ?? 0);
  const endUs = placed.reduce((most, { span, shiftUs }) => Math.max(most, span.endUs + shiftUs), startUs);
  return {
    startUs,
    durationUs: endUs - startUs,
    rows: placed.map((row) => ({
      ...row,
      startOffsetUs: row.span.startUs + row.shiftUs - startUs,
      durationUs: row.span.endUs - row.span.startUs,
    })),
  };
};

/** Depth first with a stack of its own: a trace may be one chain of thousands. */
const placeAll = (spans: readonly StoredSpan[]): Placed[] => {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const childrenOf = groupByParent(spans, byId);
  const placed: Placed[] = [];
  const seen = new Set<string>();

  const placeTree = (root: StoredSpan, orphan: boolean) => {
    const stack: Omit<Placed, "childCount">[] = [{ span: root, depth: 0, orphan, shiftUs: 0 }];
    for (let next = stack.pop(); next; next = stack.pop()) {
      if (seen.has(next.span.spanId)) continue;
      seen.add(next.span.spanId);
      const children = childrenOf.get(next.span.spanId) ?? [];
      placed.push({ ...next, childCount: children.length });
      for (const child of children.toReversed()) stack.push(below(next, child));
    }
  };

  const inOrder = [...spans].sort(byStart);
  const tops = inOrder.filter(({ parentSpanId }) => !parentSpanId || !byId.has(parentSpanId));
  const root = tops.find(({ parentSpanId }) => !parentSpanId) ?? tops[0];
  for (const top of tops) placeTree(top, top !== root && top.parentSpanId !== null);
  for (const span of inOrder) if (!seen.has(span.spanId)) placeTree(span, true);
  return placed;
};

const below = (parent: Omit<Placed, "childCount">, span: StoredSpan): Omit<Placed, "childCount"> => ({
  span,
  depth: parent.depth + 1,
  orphan: false,
  shiftUs: Math.max(
    span.service === parent.span.service ? parent.shiftUs : 0,
    parent.span.startUs + parent.shiftUs - span.startUs,
  ),
});

const groupByParent = (
  spans: readonly StoredSpan[],
  byId: ReadonlyMap<string, StoredSpan>,
): Map<string, StoredSpan[]> => {
  const groups = new Map<string, StoredSpan[]>();
  for (const span of [...spans].sort(byStart)) {
    if (!span.parentSpanId || !byId.has(span.parentSpanId)) continue;
    const group = groups.get(span.parentSpanId);
    if (group) group.push(span);
    else groups.set(span.parentSpanId, [span]);
  }
  return groups;
};

const byStart = (a: StoredSpan, b: StoredSpan): number =>
  a.startUs - b.startUs || b.endUs - a.endUs || (a.spanId < b.spanId ? -1 : 1);
