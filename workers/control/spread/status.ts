/** What operators want to know of the control plane itself. */
import type { DocumentName, Ledger } from "../part.ts";
import type { RolloutEntry } from "../rollouts/rollouts.ts";
import type { Rejection } from "./rejections.ts";
import type { SnapshotStatus } from "./snapshots.ts";

export interface Unsealable extends DocumentName {
  /** Why no isolate can be given this configuration. */
  readonly detail: string;
}

export interface ControlStatus {
  readonly epoch: number;
  /** Epoch milliseconds: when the epoch began. */
  readonly changedAt: number;
  readonly snapshots: SnapshotStatus;
  /** Configurations that isolates could not take and that are still the newest. */
  readonly rejected: readonly Rejection[];
  readonly unsealable: readonly Unsealable[];
  readonly rollouts: readonly RolloutEntry[];
}

export type StatusMethods = {
  status(input: undefined): Promise<ControlStatus>;
};

export interface StatusOptions {
  readonly ledger: Ledger;
  readonly snapshots: () => SnapshotStatus;
  readonly rejected: () => readonly Rejection[];
  readonly unsealable: () => readonly Unsealable[];
  readonly rollouts: () => Promise<readonly RolloutEntry[]>;
}

export const statusMethods = (options: StatusOptions): StatusMethods => ({
  status: async () => ({
    epoch: options.ledger.epoch(),
    changedAt: options.ledger.changedAt(),
    snapshots: options.snapshots(),
    rejected: options.rejected(),
    unsealable: options.unsealable(),
    rollouts: await options.rollouts(),
  }),
});
