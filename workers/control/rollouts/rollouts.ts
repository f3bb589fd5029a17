/** Roll-outs: a candidate gets its shares step by step, and goes back by itself when more of its answers fail. */
import type { ArmCount } from "#shared/control/changes.ts";
import type { Failure } from "#shared/http/errors.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { ActorSql } from "#shared/runtime/actor.ts";
import { type Clock, rfc3339 } from "#shared/runtime/clock.ts";
import type { Author, Candidates, DocumentName, Ledger, RolloutStarts, Scheduled } from "../part.ts";
import { type ArmSum, FIVE_PERCENT, isRise, rateOf, TENTH_OF_A_PERCENT } from "./rise.ts";
import { NONE_COUNTED, type RolloutRow, rolloutTable, type ServiceSums } from "./rollout-table.ts";

/** The author in history of what no token did. */
export const AUTOMATIC = "control-plane";

/** A roll-out as its routes and the status show it. */
export interface RolloutEntry extends DocumentName {
  readonly id: string;
  readonly by: "isolate" | "key";
  readonly percentage: number;
  /** RFC 3339 UTC: since when the share is this one. */
  readonly since: string;
  /** RFC 3339 UTC: when it goes on; absent when that waits for somebody. */
  readonly nextAt?: string;
  readonly steps: readonly { readonly percentage: number; readonly seconds: number }[];
  readonly errorRateRise: number;
  readonly candidate: ArmSum;
  readonly stable: ArmSum;
}

type NotFound = Failure<"rollout_not_found">;

export type RolloutMethods = {
  listRollouts(input: undefined): Promise<RolloutEntry[]>;
  findRollout(name: DocumentName): Promise<Result<RolloutEntry, NotFound>>;
  /** Sets the share by hand; the plan's steps no longer go on by themselves. 100 promotes: then there is no entry. */
  setRollout(
    input: DocumentName & Author & { readonly percentage: number },
  ): Promise<Result<RolloutEntry | undefined, NotFound>>;
  withdrawRollout(input: DocumentName & Author): Promise<Result<undefined, NotFound>>;
};

/** What configurations need to know of roll-outs. */
export interface RolloutsUnderWay {
  find(name: DocumentName): RolloutRow | undefined;
  /** The epoch in which a roll-out of the document last began, changed or ended; 0 for never. */
  epochOf(name: DocumentName): number;
}

export interface Rollouts extends Scheduled, RolloutStarts {
  readonly methods: RolloutMethods;
  readonly underWay: RolloutsUnderWay;
  /** Adds what isolates counted; counts of roll-outs that are over are dropped. */
  count(counts: readonly ArmCount[]): void;
}

export interface RolloutOptions {
  readonly sql: ActorSql;
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** Asked for when it is needed: documents and roll-outs know each other. */
  readonly candidates: () => Candidates;
}

export const createRollouts = ({ sql, clock, ledger, candidates }: RolloutOptions): Rollouts => {
  const table = rolloutTable(sql);

  const promote = (row: RolloutRow, by: Author & { reason: string }, epoch: number): undefined => {
    candidates().promote(nameOf(row), by, epoch);
    table.remove(row, epoch);
  };
  const withdraw = (row: RolloutRow, by: Author & { reason: string }, epoch: number): undefined => {
    candidates().withdraw(nameOf(row), by, epoch);
    table.remove(row, epoch);
  };
  /** Runs `work` under a new epoch on the roll-out as it is then. */
  const change = <Value>(name: DocumentName, work: (row: RolloutRow, epoch: number) => Value) =>
    ledger.change<Value, NotFound>((epoch) => {
      const row = table.find(name);
      return row ? ok(work(row, epoch)) : err(notFound(name));
    });

  const whyBack = (row: RolloutRow, { service }: { readonly service?: string }): string => {
    const { candidate, stable } = service === undefined ? row : table.sumsOf(row, service);
    const answers = service === undefined ? "answers" : `answers of "${service}"`;
    return (
      `went back by itself: ${candidate.failures} of ${candidate.answers} ${answers} failed (${percent(candidate)}), ` +
      `${stable.failures} of ${stable.answers} (${percent(stable)}) without it`
    );
  };

  const goOn = (row: RolloutRow, epoch: number) => {
    if (row.risen) return withdraw(row, { author: AUTOMATIC, reason: whyBack(row, row.risen) }, epoch);
    const next = row.plan.steps[row.step + 1];
    if (!next)
      return promote(row, { author: AUTOMATIC, reason: "all steps of the roll-out are over" }, epoch);
    table.put({ ...row, step: row.step + 1, percentage: next.percentage, sinceMs: clock(), epoch });
  };

  return {
    touching: (name) => {
      const found = table.all().find((row) => areMerged(row, name));
      return found && nameOf(found);
    },
    start(name, plan, epoch) {
      table.put({
        ...nameOf(name),
        id: `${name.service}.${name.profile}.${epoch}`,
        plan,
        step: 0,
        percentage: plan.steps[0]?.percentage ?? 0,
        sinceMs: clock(),
        epoch,
        candidate: NONE_COUNTED,
        stable: NONE_COUNTED,
      });
    },
    underWay: table,
    count(counts) {
      if (counts.length === 0) return;
      const rows = new Map(table.all().map((row) => [row.id, row]));
      for (const count of counts) {
        const row = rows.get(count.rollout);
        if (!row) continue;
        const sums = withCount(table.sumsOf(row, count.service), count);
        table.putSums(row, count.service, sums);
        const counted = withCount(row, count);
        const risen = row.risen ?? riseOf(counted, count.service, sums);
        const after = { ...counted, ...(risen && { risen }) };
        rows.set(row.id, after);
        table.put(after);
      }
    },
    due() {
      const times = table
        .all()
        .map(dueOf)
        .filter((at) => at !== undefined);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    async run() {
      const failed: unknown[] = [];
      for (const row of table.all()) {
        if ((dueOf(row) ?? Number.POSITIVE_INFINITY) > clock()) continue;
        // One that cannot go on keeps none of the others back.
        await change(row, goOn).catch((error: unknown) => failed.push(error));
      }
      if (failed.length > 0) throw failed[0];
    },
    methods: {
      listRollouts: async () => table.all().map(entryOf),
      async findRollout(name) {
        const row = table.find(name);
        return row ? ok(entryOf(row)) : err(notFound(name));
      },
      setRollout: ({ percentage, author, ...name }) =>
        change(name, (row, epoch) => {
          if (percentage >= 100) return promote(row, { author, reason: "given to all by hand" }, epoch);
          const held = { ...row, plan: { ...row.plan, steps: [] }, step: 0 };
          const set = { ...held, percentage, sinceMs: clock(), epoch };
          table.put(set);
          return entryOf(set);
        }),
      withdrawRollout: ({ author, ...name }) =>
        change(name, (row, epoch) => withdraw(row, { author, reason: "withdrawn by hand" }, epoch)),
    },
  };
};

const nameOf = ({ service, profile }: DocumentName): DocumentName => ({ service, profile });

/** Whether some service has both in its configuration. */
const areMerged = (one: DocumentName, other: DocumentName): boolean =>
  (one.service === other.service || one.service === "shared" || other.service === "shared") &&
  (one.profile === other.profile || one.profile === "default" || other.profile === "default");

const withCount = <Sums extends ServiceSums>(sums: Sums, { arm, answers, failures }: ArmCount): Sums => ({
  ...sums,
  [arm]: { answers: sums[arm].answers + answers, failures: sums[arm].failures + failures },
});

/** Among all answers together, or of the service that was counted just now: a quiet one is not heard among busy ones. */
const riseOf = (
  { plan: { errorRateRise }, ...all }: RolloutRow,
  service: string,
  ofService: ServiceSums,
): RolloutRow["risen"] => {
  if (isRise(all, { errorRateRise, deviations: FIVE_PERCENT })) return {};
  return isRise(ofService, { errorRateRise, deviations: TENTH_OF_A_PERCENT }) ? { service } : undefined;
};

/** A rise is due since the share is what it is, which is always past. */
const dueOf = (row: RolloutRow): number | undefined => {
  if (row.risen) return row.sinceMs;
  const step = row.plan.steps[row.step];
  return step && row.sinceMs + step.seconds * 1_000;
};

const percent = (sum: ArmSum): string => `${(rateOf(sum) * 100).toFixed(1)} %`;

const entryOf = (row: RolloutRow): RolloutEntry => {
  const { service, profile, id, plan, percentage, sinceMs, candidate, stable } = row;
  const next = dueOf(row);
  return {
    service,
    profile,
    id,
    by: plan.by,
    percentage,
    since: rfc3339(sinceMs),
    ...(next !== undefined && { nextAt: rfc3339(next) }),
    steps: plan.steps,
    errorRateRise: plan.errorRateRise,
    candidate,
    stable,
  };
};

const notFound = ({ service, profile }: DocumentName): NotFound => ({
  code: "rollout_not_found",
  detail: `Looking for a roll-out of "${service}/${profile}": expected one that is under way.`,
});
