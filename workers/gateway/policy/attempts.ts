/** Sends a request once, or as often as its policy allows, and tells all parts what came of each attempt. */
import { LIMITS } from "#shared/limits.ts";
import type { BreakerOutcome } from "#shared/resilience/breaker.ts";
import type { Bulkhead } from "#shared/resilience/bulkhead.ts";
import type { BulkheadSlot } from "#shared/resilience/bulkhead-slots.ts";
import type { Deadline } from "#shared/resilience/deadline.ts";
import { hedged } from "#shared/resilience/hedge.ts";
import { discard, type Outcome, retrying } from "#shared/resilience/retry.ts";
import { err, ok } from "#shared/result.ts";
import type { Exchange } from "../exchange.ts";
import { type Chosen, chooseInstance } from "./choose-instance.ts";
import { isFailure, isServicesWord } from "./failure.ts";
import type { RetryPart } from "./policy.ts";
import { BODY_BROKEN, CLIENT_GONE, FULL, isClientsDoing, type SendRefusal, UNREACHABLE } from "./refusal.ts";
import type { RequestCopies } from "./request-copies.ts";
import { stickTo } from "./stick-to.ts";
import type { Target } from "./target.ts";
import type { Tools, UpstreamParts } from "./upstream-parts.ts";

export interface Sending {
  readonly exchange: Exchange;
  readonly copies: RequestCopies;
  readonly deadline: Deadline;
  readonly parts: UpstreamParts;
  readonly targets: readonly Target[];
  /** What belongs together: see the policy's `balance`. */
  readonly key: string | undefined;
  /** See `ChoiceOptions`. */
  readonly zone: string | undefined;
  /** The client wants it sooner than the policy: then an instance that is late has not failed. */
  readonly hurried: boolean;
  /** Instances of this minor version at least, as the control plane knows them now; undefined when there is no news. */
  readonly lookAgain: (minor: number) => Promise<readonly Target[] | undefined>;
}

type Sent = Outcome<SendRefusal>;

/** Never rejects. */
export const attempts = async (sending: Sending, tools: Tools): Promise<Sent> => {
  const { exchange, targets, key } = sending;
  const { balance } = sending.parts.policy;
  const series: Series = { sending, tools, targets, tried: [], sent: 0, from: undefined };
  if (typeof balance === "string" || "hash" in balance || targets.length === 1) return inAll(series);
  series.from = new Map();
  const sent = await inAll(series);
  const target = sent.ok ? series.from.get(sent.value) : undefined;
  if (sent.ok && target)
    stickTo(exchange, { answer: sent.value, target, cookie: balance.sticky.cookie, had: key });
  return sent;
};

const inAll = async (series: Series): Promise<Sent> => {
  const { sending } = series;
  const { parts } = sending;
  const { retry, hedge } = parts.policy;
  const first = await (hedge ? besideSlow(series) : attempt(series));
  const again = retry && retry.attempts > 1 && isWorthAnother(first, retry.statuses);
  if (again && sending.copies.repeatable()) return tryAgain(series, first, retry);
  if ((retry || hedge) && (first.ok || !isClientsDoing(first.error))) parts.budget.earn();
  return first;
};

/** The attempts of one request. */
interface Series {
  readonly sending: Sending;
  readonly tools: Tools;
  targets: readonly Target[];
  /** A handful at most. */
  readonly tried: Target[];
  /** Attempts begun. */
  sent: number;
  /** Whose each answer is, where clients are told. */
  from: Map<Response, Target> | undefined;
}

const tryAgain = (series: Series, first: Sent, policy: RetryPart): Promise<Sent> => {
  const { sending, tools } = series;
  const allTried = () => series.targets.every((target) => series.tried.includes(target));
  const further = async (last: Sent): Promise<Sent> => {
    // Whoever was alone, and is gone: it may have moved.
    if (!last.ok && allTried())
      series.targets = (await sending.lookAgain(sending.exchange.minor)) ?? series.targets;
    return attempt(series);
  };
  let last = first;
  return retrying<SendRefusal>(
    async (n) => {
      if (n > 1) last = await further(last);
      return last;
    },
    {
      policy,
      safe: true,
      curable: ({ code }) => code === "unreachable",
      final: isServicesWord,
      elsewhere: () => !allTried(),
      budget: sending.parts.budget,
      deadline: sending.deadline,
      expectedMs: 0,
      ...tools,
    },
  );
};

const isWorthAnother = (sent: Sent, statuses: readonly number[]): boolean =>
  sent.ok
    ? statuses.includes(sent.value.status) && !isServicesWord(sent.value)
    : sent.error.code === "unreachable";

const besideSlow = (series: Series): Promise<Sent> => {
  const { parts, copies, deadline } = series.sending;
  return hedged((_, signal) => attempt(series, signal), {
    afterMs: parts.quantile?.beyondMs(),
    safe: copies.repeatable(),
    good: (sent) => sent.ok && !isFailure(sent.value),
    budget: parts.budget,
    deadline,
    timer: series.tools.timer,
  });
};

/** @param signal ends this attempt alone */
const attempt = (series: Series, signal?: AbortSignal): Promise<Sent> => {
  const { parts, key, zone } = series.sending;
  const choice = chooseInstance(series.targets, parts, { key, zone, tried: series.tried });
  if (!choice.ok) return Promise.resolve(choice);
  series.tried.push(choice.value.target);
  return parts.bulkhead
    ? sendInSlot(choice.value, series, parts.bulkhead, signal)
    : send(choice.value, series, signal);
};

const sendInSlot = async (
  chosen: Chosen,
  series: Series,
  bulkhead: Bulkhead,
  signal: AbortSignal | undefined,
): Promise<Sent> => {
  const slot = await slotOf(series.sending, bulkhead);
  if (slot === undefined) {
    if (chosen.permit !== undefined) chosen.breaker?.done(chosen.permit, "ignored", 0);
    return err(series.sending.exchange.request.signal.aborted ? CLIENT_GONE : FULL);
  }
  try {
    return await send(chosen, series, signal);
  } finally {
    bulkhead.leave(slot);
  }
};

const slotOf = async (
  { parts, deadline }: Sending,
  bulkhead: Bulkhead,
): Promise<BulkheadSlot | undefined> => {
  const { policy } = parts;
  if (!policy.bulkhead || policy.bulkhead.queue === 0) return bulkhead.enter();
  try {
    return await bulkhead.wait(deadline.signal);
  } catch {
    return undefined;
  }
};

const send = async (chosen: Chosen, series: Series, signal: AbortSignal | undefined): Promise<Sent> => {
  const { sending, tools } = series;
  const { parts, copies, exchange, deadline } = sending;
  const { target, breaker, permit } = chosen;
  // One alone need not be compared with others; of those that are new enough one may be alone, and has peers.
  const compared = series.targets.length > 1 || exchange.minor > 0;
  const balancer = compared ? parts.balancer : undefined;
  const end = signal ?? (target.atUrl ? deadline.signal : undefined);
  const began = tools.clock();
  balancer?.started(target);
  const ask = () => target.upstream.fetch(copies.next(end), series.sent++, exchange.trace);
  const sent = withoutClients(await inTime(ask, sending, tools), sending);
  const now = tools.clock();
  const tookMs = now - began;
  if (sent.ok) series.from?.set(sent.value, target);
  const outcome = judged(sent, sending, signal);
  if (permit !== undefined) breaker?.done(permit, outcome, tookMs, now);
  balancer?.finished(target, { tookMs, failed: outcome === "failure" });
  if (balancer && outcome !== "ignored") parts.outliers?.finished(target, outcome === "failure");
  if (!sent.ok && isClientsDoing(sent.error)) return sent;
  const givenUp = signal?.aborted && !deadline.signal.aborted;
  if (givenUp) parts.quantile?.recordGivenUp(tookMs);
  else parts.quantile?.record(tookMs);
  return sent;
};

/** What came of a body that the client did not send is no word on the instance, and tells the client less than this. */
const withoutClients = (sent: Sent, { copies, exchange }: Sending): Sent => {
  const stand = copies.stand();
  if (stand === "well" || (sent.ok && !isFailure(sent.value))) return sent;
  if (stand === "awaited") {
    // Whoever is waited for by the instance is who is late.
    if (sent.ok || sent.error.code !== "late") return sent;
    return err({ code: "body_late", withinMs: sent.error.withinMs });
  }
  discard(sent);
  return err(exchange.request.signal.aborted ? CLIENT_GONE : BODY_BROKEN);
};

const judged = (sent: Sent, { hurried }: Sending, signal: AbortSignal | undefined): BreakerOutcome => {
  if (sent.ok) return isFailure(sent.value) ? "failure" : "success";
  if (isClientsDoing(sent.error) || signal?.aborted) return "ignored";
  return sent.error.code === "late" && hurried ? "ignored" : "failure";
};

/** What a timer may come too early by. */
export const EARLY_MS = 1;

/** A timer costs a tenth of a signal, and an instance that does not heed signals is left behind, too. */
const inTime = (
  ask: () => Promise<Response>,
  { deadline, exchange, parts }: Sending,
  { timer }: Tools,
): Promise<Sent> => {
  const none = () => {
    if (exchange.request.signal.aborted) return err(CLIENT_GONE);
    // The deadline's signal may have ended it before the clock says so.
    return err(deadline.remainingMs() <= EARLY_MS ? lateIn(parts) : UNREACHABLE);
  };
  const remainingMs = deadline.remainingMs();
  if (remainingMs === Number.POSITIVE_INFINITY) return answered(ask, none);
  return new Promise((resolve) => {
    let over = false;
    const stop = timer(Math.max(0, remainingMs), () => {
      over = true;
      resolve(err(lateIn(parts)));
    });
    const settle = (sent: Sent) => {
      stop();
      if (over) discard(sent);
      else resolve(sent);
    };
    answered(ask, none).then(settle);
  });
};

const answered = async (ask: () => Promise<Response>, none: () => Sent): Promise<Sent> => {
  try {
    return ok(await ask());
  } catch {
    return none();
  }
};

const lateIn = ({ policy }: UpstreamParts): SendRefusal => ({
  code: "late",
  withinMs: policy.deadlineMs === false ? LIMITS.latencyMs : policy.deadlineMs,
});
