/** Looks carry what breakers see: the reports of isolates in, the news of all others out. */
import type { Changes } from "#shared/control/changes.ts";
import type { BreakerName } from "#shared/resilience/hints/breaker-hint.ts";
import type { AnswerLook } from "../spread/changes.ts";
import type { BreakerQuorum, BreakerStanding } from "./quorum.ts";

export type BreakerMethods = {
  listBreakers(input: undefined): Promise<readonly BreakerStanding[]>;
};

export interface AnsweringLooksOptions {
  readonly quorum: BreakerQuorum;
  /** What is not registered is nobody's upstream: reports of it are not kept. */
  readonly isRegistered: (name: BreakerName) => Promise<boolean>;
  readonly look: AnswerLook;
}

export const answeringLooks = ({
  quorum,
  isRegistered,
  look,
}: AnsweringLooksOptions): BreakerMethods & { look: AnswerLook } => ({
  async look(asked) {
    for (const report of asked.breakers ?? [])
      if (await isRegistered(report)) quorum.report(asked.isolate, report);
    const changes = await look(asked);
    const breakers = quorum.news();
    if (breakers.asked.length === 0) return changes;
    return { ...(changes ?? nothingSince(asked.epoch)), breakers };
  },
  listBreakers: async () => quorum.standings(),
});

/** The answer to who knows all but the breakers. */
export const nothingSince = (epoch: number): Changes => ({
  epoch,
  changedAt: 0,
  services: [],
  whole: false,
});

/** For processes: they have no breakers that report, and nothing new is nothing at all. */
export const withoutBreakers =
  (answer: AnswerLook): AnswerLook =>
  async (look) => {
    const answered = await answer(look);
    if (!answered || isOfBreakersAlone(answered, look.epoch)) return undefined;
    const { breakers: _, ...changes } = answered;
    return changes;
  };

/** An answer to who has this epoch. */
const isOfBreakersAlone = ({ epoch, services, whole, config, breakers }: Changes, from: number): boolean =>
  breakers !== undefined && epoch === from && services.length === 0 && !whole && !config;
