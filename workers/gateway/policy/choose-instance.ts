/** Chooses the instance of an attempt: one that was not tried, is not ejected, and whose breaker lets the request through. */
import { wholeOf } from "#shared/resilience/balance/subset.ts";
import type { Breaker, Permit } from "#shared/resilience/breaker.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { SendRefusal } from "./refusal.ts";
import type { Target } from "./target.ts";
import type { UpstreamParts } from "./upstream-parts.ts";

export interface Chosen {
  readonly target: Target;
  readonly breaker: Breaker | undefined;
  /** Undefined when breakers are off. */
  readonly permit: Permit | undefined;
}

export interface ChoiceOptions {
  readonly key: string | undefined;
  /** Preferred; undefined: all zones are alike. */
  readonly zone: string | undefined;
  /** Who had this request before. */
  readonly tried: readonly Target[];
}

/**
 * Who was tried is asked again only when all were; who is ejected sooner than that: a request that has failed goes to whom it
 * has not met. Refused only when the breakers of all are open.
 */
export const chooseInstance = (
  targets: readonly Target[],
  parts: UpstreamParts,
  options: ChoiceOptions,
): Result<Chosen, SendRefusal> => {
  const [only] = targets;
  if (only && targets.length === 1) return through(only, parts) ?? err(openFor(targets, parts));
  const closed: Target[] = [];
  for (;;) {
    const target = pick(targets, parts, options, closed);
    if (!target) return err(openFor(targets, parts));
    const chosen = through(target, parts);
    if (chosen) return chosen;
    closed.push(target);
  }
};

const through = (target: Target, { breakerOf }: UpstreamParts): Result<Chosen, never> | undefined => {
  const breaker = breakerOf(target.id);
  if (!breaker) return ok({ target, breaker, permit: undefined });
  const permit = breaker.enter();
  return permit === undefined ? undefined : ok({ target, breaker, permit });
};

/** @param closed whose breakers have refused this request already */
const pick = (
  targets: readonly Target[],
  { balancer, outliers }: UpstreamParts,
  { tried, ...wishes }: ChoiceOptions,
  closed: readonly Target[],
): Target | undefined => {
  // Of those that are new enough for this request all may be ejected: then they are asked all the same.
  const ejected = outliers?.except(wholeOf(targets));
  const had = tried.length > 0;
  if (!had && closed.length === 0)
    return (
      balancer.pick(targets, { ...wishes, except: ejected }) ?? (ejected && balancer.pick(targets, wishes))
    );
  const refused = (target: Target) => closed.includes(target);
  const met = (target: Target) => closed.includes(target) || tried.includes(target);
  return (
    balancer.pick(targets, { ...wishes, except: (target) => met(target) || (ejected?.(target) ?? false) }) ??
    balancer.pick(targets, { ...wishes, except: met }) ??
    (had ? balancer.pick(targets, { ...wishes, except: refused }) : undefined)
  );
};

const openFor = (targets: readonly Target[], { breakerOf }: UpstreamParts): SendRefusal => {
  const waits = targets.map(({ id }) => {
    const state = breakerOf(id)?.state();
    return state?.kind === "open" ? state.remainingMs : 0;
  });
  return { code: "open", retryAfterMs: Math.min(...waits) };
};
