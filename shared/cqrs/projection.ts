/** A projection turns commits into changes of a read model's rows, which the read store makes together with the checkpoint. */
import type { Commit } from "../events/event.ts";
import type { RowChange } from "./row-change.ts";

export interface Projection {
  /** Names its checkpoint and its Actor. */
  readonly name: string;
  /** Another one than the read model was built with has it rebuilt beside the standing one; 1 when absent, at most 9,999. */
  readonly version?: number;
  /** All that it writes to, and nobody else does. */
  readonly tables: readonly string[];
  /**
   * What brings the read model from before the commits to after them, made in order in one transaction. Depends on the
   * commits alone: the same commits in other batches come to the same rows.
   */
  changes(commits: readonly Commit[]): readonly RowChange[];
  /**
   * What the version before had: by it the standing read model goes on while this one is filled. Without it the standing
   * one stays where it is until then.
   */
  readonly former?: { readonly version: number; changes(commits: readonly Commit[]): readonly RowChange[] };
  /** What happens at a commit that cannot be applied: the projection stops at it, or goes on without that aggregate; `stop` when absent. */
  readonly onFailure?: "stop" | "park";
  /**
   * Actors among which the aggregates are split, at most 64; 1 when absent. Only for rows of which no two aggregates change
   * the same, or only by `add`: their commits are not applied in the log's order.
   */
  readonly shards?: number;
}
