/** Lets services use the standard OpenFeature SDK: flags are evaluated in the isolate, from memory. */
import {
  ErrorCode,
  type EvaluationContext,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from "@openfeature/server-sdk";
import { evaluateFlag, type FlagContext } from "./evaluate-flag.ts";
import type { FlagTable, FlagValue } from "./flag.ts";

export interface SkerryProviderOptions {
  /** The flags in force for a targeting key; read anew at each evaluation. */
  readonly flags: (targetingKey?: string) => FlagTable;
  /** Calls its listener with the keys of flags that have changed; returns what ends that. */
  readonly onChange?: (listener: (flagsChanged: readonly string[]) => void) => () => void;
}

interface Kind<Value extends FlagValue> {
  readonly expected: string;
  readonly holds: (value: FlagValue) => value is Value;
}

const BOOLEAN: Kind<boolean> = { expected: "boolean", holds: (value) => typeof value === "boolean" };
const TEXT: Kind<string> = { expected: "string", holds: (value) => typeof value === "string" };
const NUMBER: Kind<number> = { expected: "number", holds: (value) => typeof value === "number" };
const OBJECT: Kind<Extract<FlagValue, object>> = {
  expected: "object",
  holds: (value) => typeof value === "object",
};

const MESSAGES = {
  [ErrorCode.FLAG_NOT_FOUND]: "there is no such flag",
  [ErrorCode.TARGETING_KEY_MISSING]: "its split needs a targetingKey",
  [ErrorCode.PARSE_ERROR]: "it serves a variant that it does not have",
} as const;

/** An error gives the caller's own default, as the specification asks. */
const failed = <Value>(
  key: string,
  value: Value,
  errorCode: ErrorCode,
  why: string,
): ResolutionDetails<Value> => ({
  value,
  reason: "ERROR",
  errorCode,
  errorMessage: `the flag "${key}" cannot be evaluated: ${why}`,
});

/** Always ready: there is nothing to load or to wait for. */
export const skerryProvider = ({ flags, onChange }: SkerryProviderOptions): Provider => {
  const events = new OpenFeatureEventEmitter();
  const end = onChange?.((changed) =>
    events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged: [...changed] }),
  );

  const resolve = async <Value extends FlagValue, Default>(
    kind: Kind<Value>,
    key: string,
    fallback: Default,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<Value | Default>> => {
    const table = flags(context.targetingKey);
    const flag = Object.hasOwn(table, key) ? table[key] : undefined;
    if (!flag) return failed(key, fallback, ErrorCode.FLAG_NOT_FOUND, MESSAGES.FLAG_NOT_FOUND);
    const evaluation = evaluateFlag(flag, key, context as FlagContext);
    if (evaluation.errorCode) {
      return failed(key, fallback, ErrorCode[evaluation.errorCode], MESSAGES[evaluation.errorCode]);
    }
    const { value, variant, reason } = evaluation;
    if (kind.holds(value)) return { value, variant, reason };
    const why = `expected a ${kind.expected}, and its value is a ${typeof value}`;
    return failed(key, fallback, ErrorCode.TYPE_MISMATCH, why);
  };

  return {
    metadata: { name: "skerry" },
    runsOn: "server",
    events,
    resolveBooleanEvaluation: (key, fallback, context) => resolve(BOOLEAN, key, fallback, context),
    resolveStringEvaluation: (key, fallback, context) => resolve(TEXT, key, fallback, context),
    resolveNumberEvaluation: (key, fallback, context) => resolve(NUMBER, key, fallback, context),
    // The SDK lets a caller claim any shape of object; which one it is, nobody can check here.
    resolveObjectEvaluation: async <T>(key: string, fallback: T, context: EvaluationContext) =>
      (await resolve(OBJECT, key, fallback, context)) as ResolutionDetails<T>,
    onClose: async () => end?.(),
  };
};
