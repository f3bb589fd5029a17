/** Makes of a configuration that has arrived what code may read: secrets opened, checked by the schema, frozen. */
import type { z } from "zod";
import type { ConfigPart, JsonObject, RejectedConfig, Rollout } from "../control/changes.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import type { Reading } from "./entries-apart.ts";
import { type FlagTable, flagTableSchema } from "./flags/flag.ts";
import { frozen } from "./frozen.ts";
import { openSecrets, SecretNotOpened } from "./open-secrets.ts";
import { dottedPath } from "./path.ts";
import type { Sealer } from "./sealing.ts";

/** Where and why; never the value. */
export type ConfigFault = RejectedConfig["faults"][number];

/** One effective configuration. */
export interface ConfigSide<T> {
  readonly value: T;
  readonly flags: FlagTable;
}

export interface ConfigState<T> {
  readonly stable: ConfigSide<T>;
  readonly rollout?: Pick<Rollout, "id" | "by" | "percentage"> & { readonly candidate: ConfigSide<T> };
}

export interface ReadPartOptions<Schema extends z.ZodType> {
  readonly reading: Reading<Schema>;
  readonly service: string;
  readonly secrets: Pick<Sealer, "open"> | undefined;
}

/** Whole or not at all: a candidate that does not fit makes the configuration unfit. */
export const readPart = async <Schema extends z.ZodType>(
  part: ConfigPart,
  options: ReadPartOptions<Schema>,
): Promise<Result<ConfigState<z.infer<Schema>>, readonly ConfigFault[]>> => {
  const stable = await readSide(part, options);
  if (!stable.ok) return stable;
  const candidate = part.rollout && (await readSide(part.rollout, options));
  if (candidate?.ok === false) return candidate;
  options.reading.done();
  if (!part.rollout || !candidate) return ok({ stable: stable.value });
  const { id, by, percentage } = part.rollout;
  return ok({ stable: stable.value, rollout: { id, by, percentage, candidate: candidate.value } });
};

const readSide = async <Schema extends z.ZodType>(
  side: { readonly value: JsonObject; readonly flags: FlagTable },
  { reading, service, secrets }: ReadPartOptions<Schema>,
): Promise<Result<ConfigSide<z.infer<Schema>>, readonly ConfigFault[]>> => {
  try {
    const value = reading.parse(await openSecrets(side.value, { service, secrets }));
    if (!value.success) return err(faultsOf(value.error, []));
    const flags = flagTableSchema.safeParse(side.flags);
    if (!flags.success) return err(faultsOf(flags.error, ["flags"]));
    return ok(frozen({ value: value.data, flags: flags.data }));
  } catch (error) {
    const path = error instanceof SecretNotOpened ? error.path : "";
    return err([
      {
        path: path.slice(0, FAULT_TEXT_MAX),
        message: path ? (error as Error).message : "The schema failed on it",
      },
    ]);
  }
};

/** Enough to find the place; the control plane takes no long ones. */
const FAULT_TEXT_MAX = 200;

const faultsOf = ({ issues }: z.ZodError, prefix: readonly string[]): ConfigFault[] =>
  issues.slice(0, LIMITS.configFaults).map(({ path, message }) => ({
    path: dottedPath([...prefix, ...path].map(String)).slice(0, FAULT_TEXT_MAX),
    message: message.slice(0, FAULT_TEXT_MAX),
  }));
