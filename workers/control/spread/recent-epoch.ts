/** A control isolate's own short memory in front of the Actor: most looks find nothing new, and need not ask it. */
import type { Changes, Look } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import type { BreakerNews } from "#shared/resilience/hints/breaker-hint.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { nothingSince } from "../breakers/answering-looks.ts";

export interface RecentEpoch {
  /** Asks only when it must: undefined when nothing is new. News of breakers are told from memory, too. */
  look(look: Look, ask: (look: Look) => Promise<Changes | undefined>): Promise<Changes | undefined>;
  /** Called after a change that came this way: what was known is over. */
  forget(): void;
}

export const recentEpoch = ({ clock }: { clock: Clock }): RecentEpoch => {
  let known:
    | { readonly epoch: number; readonly atMs: number; readonly breakers?: BreakerNews | undefined }
    | undefined;

  const isNothingNew = ({ epoch, counts, rejected, breakers }: Look): boolean =>
    known?.epoch === epoch &&
    clock() - known.atMs < LIMITS.controlMemoryMs &&
    !rejected &&
    (counts?.length ?? 0) === 0 &&
    (breakers?.length ?? 0) === 0;

  return {
    async look(look, ask) {
      if (isNothingNew(look)) {
        const breakers = known?.breakers;
        return breakers && { ...nothingSince(look.epoch), breakers };
      }
      // What changes while the Actor answers may be missing in the answer, so it is as old as the question.
      const atMs = clock();
      const changes = await ask(look);
      const epoch = changes?.epoch ?? look.epoch;
      if (!known || atMs > known.atMs || (atMs === known.atMs && epoch >= known.epoch))
        known = { epoch, atMs, breakers: changes?.breakers };
      return changes;
    },
    forget() {
      known = undefined;
    },
  };
};
