/** A service's configuration as its code reads it: typed, in memory, always there. */
import type { z } from "zod";
import type { ArmCount, ConfigPart, RejectedConfig } from "../control/changes.ts";
import { sameJson } from "../http/same-json.ts";
import type { Result } from "../result.ts";
import { noteArm } from "./arm-note.ts";
import { armOf } from "./arms.ts";
import { entryReader } from "./entries-apart.ts";
import { changedFlags, type FlagSides } from "./flags/changed-flags.ts";
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
  /** Calls with the keys of flags that have changed for whatever reader; returns what ends that. */
  onFlagsChange(listener: (changed: readonly string[]) => void): () => void;
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
  const startReading = entryReader(schema);
  const listeners = new Set<(now: T, before: T) => void>();
  const flagListeners = new Set<(changed: readonly string[]) => void>();

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
  const ownSide = (): ConfigSide<T> => sideOf(state.rollout && armOf(state.rollout, { isolate }));

  const flagSides = (): FlagSides => {
    const { rollout, stable } = state;
    if (rollout?.by !== "key") return { stable: ownSide().flags };
    const dividedBy = `${rollout.id} ${rollout.percentage}`;
    return { stable: stable.flags, candidate: { flags: rollout.candidate.flags, dividedBy } };
  };

  const replace = (next: ConfigState<T>): void => {
    const before = { value: ownSide().value, flags: flagSides() };
    // The very same object tells those who made something of it that nothing is to be made anew.
    const isSame = sameJson(next.stable.value, state.stable.value);
    state = isSame ? { ...next, stable: { ...next.stable, value: state.stable.value } } : next;
    const { value } = ownSide();
    const flags = changedFlags(before.flags, flagSides());
    if (listeners.size > 0 && !sameJson(value, before.value)) tell(listeners, value, before.value);
    if (flags.length > 0) tell(flagListeners, flags);
  };

  const take = (part: ConfigPart, read: Result<ConfigState<T>, readonly ConfigFault[]>): void => {
    rejected = read.ok ? undefined : { epoch: part.epoch, faults: read.error };
    if (read.ok) replace(read.value);
    else reportRejected(part, read.error);
  };

  return {
    async read(part) {
      const read = await readPart(part, { reading: startReading(), service, secrets });
      return { take: () => take(part, read) };
    },
    rejected: () => rejected,
    config: {
      get: (options) => inForce(options?.key).value,
      flags: (options) => inForce(options?.key).flags,
      faults: () => rejected?.faults ?? [],
      onChange: (listener) => joining(listeners, listener),
      onFlagsChange: (listener) => joining(flagListeners, listener),
      rollout() {
        const { rollout } = state;
        if (!rollout) return undefined;
        const arm = rollout.by === "isolate" ? armOf(rollout, { isolate }) : undefined;
        return { id: rollout.id, ...(arm && { isolatesArm: arm }) };
      },
    },
  };
};

type Listener<News extends readonly unknown[]> = (...news: News) => void;

const joining = <L>(listeners: Set<L>, listener: L): (() => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

/** A listener's mistake is its own: the others are told all the same. */
const tell = <News extends readonly unknown[]>(
  listeners: ReadonlySet<Listener<News>>,
  ...news: News
): void => {
  for (const listener of [...listeners]) {
    try {
      listener(...news);
    } catch (error) {
      console.error("A listener to the configuration's changes failed", error);
    }
  }
};
