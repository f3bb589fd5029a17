/** A service's configuration as its code reads it: typed, in memory, always there. */
import type { z } from "zod";
import type { ArmCount, ConfigPart, RejectedConfig } from "../control/changes.ts";
import { canonicalJson } from "../http/canonical-json.ts";
import type { Result } from "../result.ts";
import { noteArm } from "./arm-note.ts";
import { armOf } from "./arms.ts";
import type { FlagTable } from "./flags/flag.ts";
import { frozen } from "./frozen.ts";
import { type ConfigFault, type ConfigSide, type ConfigState, readPart } from "./read-part.ts";
import { reportRejected } from "./report-rejected.ts";
import type { Sealer } from "./sealing.ts";

export interface ReadingOptions {
  /** For roll-outs by key: on whose behalf it is read, as a customer's id. Without, what is stable. */
  readonly key?: string;
}

export interface Config<T> {
  /** What is in force, frozen; the schema's defaults before anything was loaded. Never waits. */
  get(options?: ReadingOptions): T;
  /** Calls when what `get()` returns without a key has really changed; returns what ends that. */
  onChange(listener: (now: T, before: T) => void): () => void;
  /** The feature flags in force. */
  flags(options?: ReadingOptions): FlagTable;
  /** Why the newest configuration was not taken; empty when it was. */
  faults(): readonly ConfigFault[];
  /** The roll-out under way, and the arm of this isolate when it goes by isolates. */
  rollout(): { readonly id: string; readonly isolatesArm?: ArmCount["arm"] } | undefined;
}

export interface ConfigReaderOptions<Schema extends z.ZodType> {
  /** Takes `{}`: every field has a default or may be absent. */
  readonly schema: Schema;
  readonly service: string;
  readonly isolate: string;
  readonly secrets: Pick<Sealer, "open"> | undefined;
}

/** The link's side of a configuration. */
export interface ConfigReader {
  /** Opens and checks what has arrived; its `take` puts it in force, or keeps what is when it does not fit. */
  read(part: ConfigPart): Promise<{ take(): void }>;
  /** The newest one, when it was not taken. */
  rejected(): RejectedConfig | undefined;
}

/** @throws ZodError when the schema does not take `{}` */
export const configReader = <Schema extends z.ZodType>({
  schema,
  service,
  isolate,
  secrets,
}: ConfigReaderOptions<Schema>): ConfigReader & { config: Config<z.infer<Schema>> } => {
  type T = z.infer<Schema>;
  let state: ConfigState<T> = { stable: frozen({ value: schema.parse({}), flags: {} }) };
  let rejected: RejectedConfig | undefined;
  const listeners = new Set<(now: T, before: T) => void>();

  const sideOf = (arm: ArmCount["arm"] | undefined): ConfigSide<T> =>
    arm === "candidate" && state.rollout ? state.rollout.candidate : state.stable;

  const inForce = (key?: string): ConfigSide<T> => {
    const { rollout } = state;
    if (!rollout) return state.stable;
    const arm = armOf(rollout, { isolate, key });
    if (arm) noteArm(rollout.id, arm);
    return sideOf(arm);
  };

  /** What a reader without a key gets; nobody reads it here, so nothing is noted. */
  const ownValue = (): T => sideOf(state.rollout && armOf(state.rollout, { isolate })).value;

  const replace = (next: ConfigState<T>): void => {
    const before = ownValue();
    state = next;
    const now = ownValue();
    if (canonicalJson(now) === canonicalJson(before)) return;
    for (const listener of [...listeners]) tell(listener, now, before);
  };

  const take = (part: ConfigPart, read: Result<ConfigState<T>, readonly ConfigFault[]>): void => {
    rejected = read.ok ? undefined : { epoch: part.epoch, faults: read.error };
    if (read.ok) replace(read.value);
    else reportRejected(part, read.error);
  };

  return {
    async read(part) {
      const read = await readPart(part, { schema, service, secrets });
      return { take: () => take(part, read) };
    },
    rejected: () => rejected,
    config: {
      get: (options) => inForce(options?.key).value,
      flags: (options) => inForce(options?.key).flags,
      faults: () => rejected?.faults ?? [],
      onChange(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      rollout() {
        const { rollout } = state;
        if (!rollout) return undefined;
        const arm = rollout.by === "isolate" ? armOf(rollout, { isolate }) : undefined;
        return { id: rollout.id, ...(arm && { isolatesArm: arm }) };
      },
    },
  };
};

/** A listener's mistake is its own: the others are told all the same. */
const tell = <T>(listener: (now: T, before: T) => void, now: T, before: T): void => {
  try {
    listener(now, before);
  } catch (error) {
    console.error("A listener to the configuration's changes failed", error);
  }
};
