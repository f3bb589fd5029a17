/** What became of the orders of a run: counts, latencies, and those that did not end. */

export type Percentiles = { p50: number; p99: number };

export type OrderFigures = {
  placed: number;
  /** Each order counts as it was first seen at an end: one cancelled after it was seen confirmed stays confirmed. */
  confirmed: number;
  rejected: number;
  rejectedByReason: Record<string, number>;
  cancelled: number;
  /** Could not be placed or followed, after all retries. */
  failed: number;
  failures: string[];
  /** Placed, and not final when the time for following them was over. */
  unsettled: number;
  unsettledOrders: string[];
  /** Milliseconds of the placing request, its retries included; null when none succeeded. */
  placingMs: Percentiles | null;
  /** Milliseconds from the start of placing until the order was seen confirmed. */
  confirmedMs: Percentiles | null;
};

export interface OrderTally {
  placed(ms: number): void;
  confirmed(ms: number): void;
  rejected(reason: string): void;
  cancelled(): void;
  failed(message: string): void;
  unsettled(orderId: string): void;
  figures(): OrderFigures;
}

/** Messages and ids kept for the report; the rest is only counted. */
const NAMED_MAX = 5;

export const orderTally = (): OrderTally => {
  const counts = { confirmed: 0, rejected: 0, cancelled: 0, failed: 0, unsettled: 0 };
  const reasons = new Map<string, number>();
  const failures: string[] = [];
  const unsettledOrders: string[] = [];
  const placingMs: number[] = [];
  const confirmedMs: number[] = [];
  const keep = (list: string[], text: string) => list.length < NAMED_MAX && list.push(text);
  return {
    placed: (ms) => void placingMs.push(ms),
    confirmed(ms) {
      counts.confirmed += 1;
      confirmedMs.push(ms);
    },
    rejected(reason) {
      counts.rejected += 1;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    },
    cancelled() {
      counts.cancelled += 1;
    },
    failed(message) {
      counts.failed += 1;
      keep(failures, message);
    },
    unsettled(orderId) {
      counts.unsettled += 1;
      keep(unsettledOrders, orderId);
    },
    figures: () => ({
      placed: placingMs.length,
      ...counts,
      rejectedByReason: Object.fromEntries([...reasons].sort()),
      failures,
      unsettledOrders,
      placingMs: percentiles(placingMs),
      confirmedMs: percentiles(confirmedMs),
    }),
  };
};

/** Nearest rank, to a tenth of a millisecond; null of nothing. */
export const percentiles = (values: readonly number[]): Percentiles | null => {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 10) / 10;
  return { p50: at(0.5), p99: at(0.99) };
};
