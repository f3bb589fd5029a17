/** Decides which variant of a flag someone gets, from memory alone. */
import { shareOf } from "../stable-share.ts";
import type { Flag, FlagCondition, FlagValue, Serve } from "./flag.ts";

/** For whom: a stable key, and whatever rules ask for. */
export interface FlagContext {
  /** Who is meant, as a customer's id: splits go by it. */
  readonly targetingKey?: string | undefined;
  readonly [attribute: string]: unknown;
}

/** Reasons and error codes as OpenFeature names them (specification, "Resolution Details" and "Error Code"). */
export type FlagEvaluation =
  | {
      readonly value: FlagValue;
      readonly variant: string;
      /**
       * `STATIC`: all get it. `TARGETING_MATCH`: by a rule. `SPLIT`: by the share of the targeting key, within a rule or not.
       * `DEFAULT`: there are rules and none held. `DISABLED`: the flag is not enabled.
       */
      readonly reason: "STATIC" | "TARGETING_MATCH" | "SPLIT" | "DISABLED" | "DEFAULT";
      readonly errorCode?: undefined;
    }
  | {
      readonly value?: undefined;
      readonly variant?: undefined;
      readonly reason: "ERROR";
      /** `PARSE_ERROR`: a variant that is served is not there, which `flagSchema` refuses. */
      readonly errorCode: "TARGETING_KEY_MISSING" | "PARSE_ERROR";
    };

type Reason = Exclude<FlagEvaluation["reason"], "ERROR">;

const attributeOf = (context: FlagContext, attribute: string): unknown =>
  Object.hasOwn(context, attribute) ? (context[attribute] ?? undefined) : undefined;

/** `is` without a bound to compare with holds. */
const unless = <Bound>(bound: Bound | undefined, is: (bound: Bound) => boolean): boolean =>
  bound === undefined || is(bound);

const holds = (condition: FlagCondition, context: FlagContext): boolean => {
  const value = attributeOf(context, condition.attribute);
  const isOneOf = (values: readonly unknown[]): boolean => values.includes(value);
  return (
    unless(condition.exists, (exists) => exists === (value !== undefined)) &&
    unless(condition.in, isOneOf) &&
    unless(condition.notIn, (values) => !isOneOf(values)) &&
    unless(condition.startsWith, (start) => typeof value === "string" && value.startsWith(start)) &&
    unless(condition.endsWith, (end) => typeof value === "string" && value.endsWith(end)) &&
    unless(condition.greaterThan, (bound) => typeof value === "number" && value > bound) &&
    unless(condition.lessThan, (bound) => typeof value === "number" && value < bound)
  );
};

/** The last variant that has a share takes what rounding leaves over. */
const variantAt = (share: number, shares: Readonly<Record<string, number>>): string | undefined => {
  let end = 0;
  let last: string | undefined;
  for (const [variant, width] of Object.entries(shares)) {
    if (width === 0) continue;
    end += width;
    last = variant;
    if (share < end) return variant;
  }
  return last;
};

/** The flag's `key` is the salt of its splits: who is in one flag's share is not therefore in another's. */
export const evaluateFlag = (flag: Flag, key: string, context: FlagContext): FlagEvaluation => {
  const served = (variant: string | undefined, reason: Reason): FlagEvaluation => {
    const value =
      variant !== undefined && Object.hasOwn(flag.variants, variant) ? flag.variants[variant] : undefined;
    if (variant === undefined || value === undefined) return { reason: "ERROR", errorCode: "PARSE_ERROR" };
    return { value, variant, reason };
  };

  const serve = (what: Serve, reason: Reason): FlagEvaluation => {
    if (typeof what === "string") return served(what, reason);
    const { targetingKey } = context;
    if (typeof targetingKey !== "string") return { reason: "ERROR", errorCode: "TARGETING_KEY_MISSING" };
    return served(variantAt(shareOf(key, targetingKey), what), "SPLIT");
  };

  if (!flag.enabled) return served(flag.off, "DISABLED");
  const rule = flag.rules.find((each) => each.if.every((condition) => holds(condition, context)));
  if (rule) return serve(rule.serve, "TARGETING_MATCH");
  return serve(flag.serve, flag.rules.length > 0 ? "DEFAULT" : "STATIC");
};
