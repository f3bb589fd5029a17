/** What the parts of the control plane's Actor have in common: one ledger of changes, and work at its time. */
import type { FlagTable } from "#shared/config/flags/flag.ts";
import type { Origins } from "#shared/config/merge.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import type { Result } from "#shared/result.ts";

/** A document's name. The service `shared` stands for all services. */
export interface DocumentName {
  readonly service: string;
  readonly profile: string;
}

/** Who does something, for history. */
export interface Author {
  /** The token's name. */
  readonly author: string;
}

/** Every change of the control plane goes through it. */
export interface Ledger {
  /** The newest epoch. */
  epoch(): number;
  /** When it began, epoch milliseconds. */
  changedAt(): number;
  /**
   * Runs `work` in one transaction under the next epoch. A refusal changes nothing, the epoch neither; so does a throw, which
   * is thrown on. `work` runs alone and does not wait: what needs waiting comes before it, what it rests on is checked in it.
   */
  change<Value, Refusal>(work: (epoch: number) => Result<Value, Refusal>): Promise<Result<Value, Refusal>>;
}

/** A part that has something to do by itself at some time. */
export interface Scheduled {
  /** When, in epoch milliseconds; undefined when there is nothing to do. */
  due(): number | undefined;
  /** Does what is due; called at any time, also too early. Never rejects for what is the world's fault. */
  run(): Promise<void>;
}

/** Shares and how long each lasts, until all have it. */
export interface RolloutPlan {
  readonly by: "isolate" | "key";
  readonly steps: readonly { readonly percentage: number; readonly seconds: number }[];
  /** How far the candidate's rate of 5xx may be above the stable one's, 0 to 1. */
  readonly errorRateRise: number;
}

/** What documents need of roll-outs; both are called inside a change of the ledger. */
export interface RolloutStarts {
  /** A roll-out under way of a document that is merged with this one somewhere; the document itself included. */
  touching(name: DocumentName): DocumentName | undefined;
  start(name: DocumentName, plan: RolloutPlan, epoch: number): void;
}

/** What roll-outs need of documents; both are called inside a change of the ledger, and write history. */
export interface Candidates {
  /** The document's candidate becomes the document. */
  promote(name: DocumentName, by: Author & { readonly reason: string }, epoch: number): void;
  /** The document stays as it is; the candidate is kept in history only. */
  withdraw(name: DocumentName, by: Author & { readonly reason: string }, epoch: number): void;
}

/** A service's merged configuration, secrets still sealed as they are at rest. */
export interface EffectiveConfig {
  /** The epoch of its last change; 0 when no document was ever written. */
  readonly epoch: number;
  readonly stable: ConfigSides;
  /** With the candidate of one of its documents in that one's place. */
  readonly candidate?: ConfigSides & { readonly document: DocumentName };
}

export interface ConfigSides {
  /** Without `flags`. */
  readonly value: JsonObject;
  readonly flags: FlagTable;
  /** Which document each leaf is from: a secret is sealed for its place there. */
  readonly origins: Origins;
}
