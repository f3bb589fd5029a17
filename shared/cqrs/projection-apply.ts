/** Applies commits to one set of tables in order, finds the one that cannot be applied, and stops at it or parks it. */
import type { Commit } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { type Clock, type Random, rfc3339, type Sleep } from "../runtime/clock.ts";
import { backoffMs } from "./backoff.ts";
import { type ParkedCommit, type ProjectionParking, parkedBehind } from "./projection-parking.ts";
import type { Guard, ReadStore } from "./read-store.ts";
import type { RowChange } from "./row-change.ts";

/** A projection stands before this commit. */
export class CommitNotApplied extends Error {
  override readonly name = "CommitNotApplied";
  readonly position: number;
  readonly eventId: string;

  constructor(commit: Commit, cause: unknown) {
    const eventId = eventIdOf(commit);
    super(`Applying the event "${eventId}" at position ${commit.position}: ${reasonOf(cause)}`, { cause });
    this.position = commit.position;
    this.eventId = eventId;
  }
}

export interface ApplyOptions {
  readonly store: ReadStore;
  readonly projection: string;
  /** The service whose log it is. */
  readonly source: string;
  /** The checkpoint that moves with the rows. */
  readonly checkpoint: string;
  readonly changes: (commits: readonly Commit[]) => readonly RowChange[];
  /** Of each transaction. */
  readonly guards: () => readonly Guard[];
  /** Whether a commit's rows are this one's business; its position is in any case. */
  readonly concerns: (commit: Commit) => boolean;
  readonly onFailure: "stop" | "park";
  readonly parked: ProjectionParking;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: Sleep;
}

/**
 * From `from` to the last of the commits. What it cannot apply it splits in halves, so that one commit among many is found
 * within a few attempts, and all before it stand by then.
 * @returns "moved" when the checkpoint or a guard is somewhere else
 * @throws CommitNotApplied where one stops it; whatever the store throws that takes nothing at all
 */
export const applyCommits = (options: ApplyOptions) => {
  const { store, checkpoint, concerns, parked, onFailure, sleep, random } = options;

  /** Counted up before anything is parked: an attempt without an answer may be made yet, and would come beside the replay. */
  const register = `${checkpoint}!parks`;
  let parks: number | undefined;
  const guards = async (): Promise<readonly Guard[]> => {
    if (onFailure === "stop") return options.guards();
    parks ??= await store.checkpoint(register);
    return [...options.guards(), { name: register, at: parks }];
  };
  const endAttempts = async (at: number): Promise<"applied" | "moved"> => {
    parks ??= await store.checkpoint(register);
    const ended = await store.apply({
      projection: register,
      from: parks,
      to: parks + 1,
      changes: [],
      guards: [...options.guards(), { name: checkpoint, at }],
    });
    if (ended === "applied") parks++;
    return ended;
  };

  const attempt = async (commits: readonly Commit[], from: number) => {
    const held = await guards();
    return store.apply({
      projection: checkpoint,
      from,
      to: commits.at(-1)?.position ?? from,
      changes: options.changes(commits.filter((commit) => concerns(commit) && !parked.blocks(commit))),
      guards: held,
    });
  };
  const attemptNothing = async (at: number) =>
    store.apply({ projection: checkpoint, from: at, to: at, changes: [], guards: await guards() });

  const applyOne = async (commit: Commit, from: number, failed: unknown): Promise<"applied" | "moved"> => {
    // A store that does not even take nothing is away: that is not the commit's fault.
    if ((await attemptNothing(from)) === "moved") return "moved";
    if (onFailure === "stop") throw new CommitNotApplied(commit, failed);
    let error = failed;
    for (let failures = 1; failures < LIMITS.projectionAttempts; failures++) {
      await sleep(backoffMs(failures, random));
      try {
        return await attempt([commit], from);
      } catch (again) {
        error = again;
      }
    }
    if ((await endAttempts(from)) === "moved") return "moved";
    park(commit, { code: "not_applied", detail: reasonOf(error) }, LIMITS.projectionAttempts);
    return attempt([commit], from);
  };

  const park = (commit: Commit, reason: Failure, attempts: number) =>
    parked.park({ commit, event: parkedCommit(options, commit, reason, attempts) });

  /** Before any row is made: were it after, a crash in between would lose them. */
  const parkBehind = (commits: readonly Commit[]) => {
    if (parked.count() === 0) return;
    for (const commit of commits) {
      const first = concerns(commit) ? parked.firstOf(commit) : undefined;
      if (first && first.event.position < commit.position && !parked.find(eventIdOf(commit)))
        park(commit, parkedBehind(first.event), 0);
    }
  };

  const apply = async (commits: readonly Commit[], from: number): Promise<"applied" | "moved"> => {
    parkBehind(commits);
    try {
      return await attempt(commits, from);
    } catch (error) {
      const [first] = commits;
      if (first === undefined) throw error;
      if (commits.length === 1) return applyOne(first, from, error);
      const half = Math.ceil(commits.length / 2);
      const done = await apply(commits.slice(0, half), from);
      if (done === "moved") return done;
      return apply(commits.slice(half), commits[half - 1]?.position ?? from);
    }
  };
  return apply;
};

const parkedCommit = (
  { projection, source, clock }: ApplyOptions,
  commit: Commit,
  reason: Failure,
  attempts: number,
): ParkedCommit => ({
  id: eventIdOf(commit),
  process: projection,
  projection,
  source,
  position: commit.position,
  aggregateId: commit.aggregate.id,
  type: commit.events[0]?.type ?? "",
  reason,
  attempts,
  parkedAt: rfc3339(clock()),
  ...(commit.trace.traceparent && { traceparent: commit.trace.traceparent }),
});

const eventIdOf = (commit: Commit): string => commit.events[0]?.id ?? commit.commandId;

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
