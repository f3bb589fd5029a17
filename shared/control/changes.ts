/** What travels between an isolate and the control plane. */
import type { FlagTable } from "../config/flags/flag.ts";
import type { ServiceEntry } from "../registry/instance.ts";
import type { BreakerNews, BreakerReport } from "../resilience/hints/breaker-hint.ts";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [field: string]: JsonValue;
}

/** An isolate's question: what is newer than what it has? */
export interface Look {
  readonly service: string;
  readonly profile: string;
  /** Stable for the isolate's life; random. */
  readonly isolate: string;
  /** What it has; 0 for nothing. */
  readonly epoch: number;
  /** Answers counted since its last look, of services with a roll-out. */
  readonly counts?: readonly ArmCount[];
  /** The configuration that it could not take, when that is the newest one that it was given. */
  readonly rejected?: RejectedConfig;
  /** What its breakers saw since its last look, where that is of interest. */
  readonly breakers?: readonly BreakerReport[];
}

/** Answers of one service made under a roll-out. */
export interface ArmCount {
  readonly service: string;
  /** The candidate's {@link Rollout.id}. */
  readonly rollout: string;
  readonly arm: "candidate" | "stable";
  readonly answers: number;
  /** Those of status 5xx. */
  readonly failures: number;
}

export interface RejectedConfig {
  /** {@link ConfigPart.epoch} of what was rejected. */
  readonly epoch: number;
  readonly faults: readonly { readonly path: string; readonly message: string }[];
}

/** The answer to a {@link Look}: nothing in it when nothing changed. */
export interface Changes {
  readonly epoch: number;
  /** When this epoch began, epoch milliseconds of the control plane's clock. */
  readonly changedAt: number;
  /** The asking service's configuration, when it changed. */
  readonly config?: ConfigPart;
  /** The services that changed; all of them when `whole`. One without instances is no longer registered. */
  readonly services: readonly ServiceEntry[];
  /** `services` is everything: forget what it does not name. */
  readonly whole: boolean;
  /** What other isolates' breakers see, in the answer to an isolate; absent when there is nothing to tell. */
  readonly breakers?: BreakerNews;
}

/** A service's effective configuration under one profile; secrets sealed for the service. */
export interface ConfigPart {
  readonly service: string;
  readonly profile: string;
  /** The epoch of its last change. */
  readonly epoch: number;
  /** Without `flags`. */
  readonly value: JsonObject;
  readonly flags: FlagTable;
  readonly rollout?: Rollout;
}

/** A candidate for some. */
export interface Rollout {
  /** Names it in counts and in the hash by which isolates or keys take part. */
  readonly id: string;
  readonly by: "isolate" | "key";
  /** 0 to 100, two decimals. */
  readonly percentage: number;
  readonly value: JsonObject;
  readonly flags: FlagTable;
}
