/** Publishes one change after the other and measures when each isolate that has traffic answers by it. */
import { setTimeout as pause } from "node:timers/promises";
import type { ManyIsolates } from "./many-isolates.ts";

export interface Propagation {
  /** From the answer to the publishing to the first answer by the change, per isolate and change; milliseconds. */
  readonly seenMs: readonly number[];
  /** Changes that some isolate did not answer by within the bound, each counted with that bound in `seenMs`. */
  readonly missed: number;
}

/** Between two requests to one isolate: its traffic. */
const REQUEST_MS = 20;

/** Before a change: people do not publish in step with anybody's looking. The step meets every part of a second alike. */
const pauseBefore = (change: number): number => (change * 382) % 1_000;

const publish = async ({ call }: ManyIsolates, mark: number): Promise<void> => {
  const response = await call("/documents/probe/default", {
    method: "PUT",
    body: { content: { mark } },
    headers: { "if-match": "*" },
  });
  if (!response.ok)
    throw new Error(`Publishing the mark ${mark}: ${response.status} ${await response.text()}`);
  await response.body?.cancel();
};

/** @returns milliseconds since `from`, at most `boundMs` */
const seenBy = async (probe: string, mark: number, { from, boundMs }: { from: number; boundMs: number }) => {
  for (;;) {
    const answer = (await (await fetch(probe)).json()) as { mark: number };
    const tookMs = performance.now() - from;
    if (answer.mark >= mark || tookMs > boundMs) return Math.min(tookMs, boundMs);
    await pause(REQUEST_MS);
  }
};

/** @param options.boundMs how long one change is waited for */
export const measurePropagation = async (
  ground: ManyIsolates,
  { changes, boundMs }: { changes: number; boundMs: number },
): Promise<Propagation> => {
  const first = await ground.call("/documents/probe/default", {
    method: "PUT",
    body: { content: { mark: 0 } },
  });
  if (!first.ok) throw new Error(`Publishing the first document: ${first.status} ${await first.text()}`);
  await first.body?.cancel();
  await Promise.all(ground.probes.map((probe) => fetch(probe).then((answer) => answer.text())));
  const seenMs: number[] = [];
  for (let mark = 1; mark <= changes; mark++) {
    await pause(pauseBefore(mark));
    await publish(ground, mark);
    const from = performance.now();
    seenMs.push(...(await Promise.all(ground.probes.map((probe) => seenBy(probe, mark, { from, boundMs })))));
  }
  return { seenMs, missed: seenMs.filter((ms) => ms >= boundMs).length };
};

/** The value below which that share of the numbers lies. */
export const quantile = (numbers: readonly number[], share: number): number => {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};
