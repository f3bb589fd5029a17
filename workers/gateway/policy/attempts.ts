/** Sends a request once, or as often as its policy allows, and tells all parts what came of each attempt. */
import type { BreakerOutcome } from "#shared/resilience/breaker.ts";
import type { BulkheadSlot } from "#shared/resilience/bulkhead-slots.ts";
import type { Deadline } from "#shared/resilience/deadline.ts";
import { hedged } from "#shared/resilience/hedge.ts";
import { discard, type Outcome, retrying } from "#shared/resilience/retry.ts";
import { err, ok } from "#shared/result.ts";
import { type Chosen, chooseInstance } from "./choose-instance.ts";
import { isFailure, isServicesWord } from "./failure.ts";
import { CLIENT_GONE, FULL, type SendRefusal, UNREACHABLE } from "./refusal.ts";
import type { RequestCopies } from "./request-copies.ts";
import type { Target } from "./target.ts";
import type { Tools, UpstreamParts } from "./upstream-parts.ts";

export interface Sending {
  readonly request: Request;
  readonly copies: RequestCopies;
  readonly deadline: Deadline;
  readonly parts: UpstreamParts;
  readonly targets: readonly Target[];
  /** What belongs together: see the policy's `balance`. */
  readonly key: string | undefined;
  /** The client wants it sooner than the policy: then an instance that is late has not failed. */
  readonly hurried: boolean;
  /** Instances as the control plane knows them now; undefined when there is no news. */
  readonly lookAgain: () => Promise<readonly Target[] | undefined>;
}

type Sent = Outcome<SendRefusal>;

export const attempts = async (sending: Sending, tools: Tools): Promise<Sent> => {
  const { parts, deadline, copies } = sending;
  const { retry, hedge } = parts.policy;
  if (!retry && !hedge) return attemptOnce(sending, tools);

  let { targets } = sending;
  const tried = new Set<Target>();
  let sent = 0;
  const once = (signal?: AbortSignal): Promise<Sent> =>
    attemptOnce({ ...sending, targets, tried, resends: sent++, signal }, tools);
  const allTried = () => targets.every((target) => tried.has(target));

  const first = await (hedge ? besideSlow(sending, tools, once) : once());
  const again = retry && retry.attempts > 1 && isWorthAnother(first, retry.statuses) && copies.repeatable();
  if (!again) {
    parts.budget.earn();
    return first;
  }
  const further = async (last: Sent): Promise<Sent> => {
    // Whoever was alone, and is gone: it may have moved.
    if (!last.ok && allTried()) targets = (await sending.lookAgain()) ?? targets;
    return once();
  };
  let last = first;
  return retrying<SendRefusal>(
    async (n) => {
      if (n > 1) last = await further(last);
      return last;
    },
    {
      policy: retry,
      safe: true,
      curable: ({ code }) => code === "unreachable",
      final: isServicesWord,
      elsewhere: () => !allTried(),
      budget: parts.budget,
      deadline,
      expectedMs: 0,
      ...tools,
    },
  );
};

const isWorthAnother = (sent: Sent, statuses: readonly number[]): boolean =>
  sent.ok
    ? statuses.includes(sent.value.status) && !isServicesWord(sent.value)
    : sent.error.code === "unreachable";

const besideSlow = (
  { parts, copies, deadline }: Sending,
  { timer }: Tools,
  once: (signal: AbortSignal) => Promise<Sent>,
): Promise<Sent> =>
  hedged((_, signal) => once(signal), {
    afterMs: parts.quantile?.valueMs(),
    safe: copies.repeatable(),
    good: (sent) => sent.ok && !isFailure(sent.value),
    budget: parts.budget,
    deadline,
    timer,
  });

type Attempting = Sending & {
  readonly tried?: Set<Target>;
  readonly resends?: number;
  /** Ends this attempt alone. */
  readonly signal?: AbortSignal | undefined;
};

/** Never rejects. */
const attemptOnce = async (attempting: Attempting, tools: Tools): Promise<Sent> => {
  const { parts, targets, tried, key } = attempting;
  const choice = chooseInstance(targets, parts, { key, tried });
  if (!choice.ok) return choice;
  const chosen = choice.value;
  tried?.add(chosen.target);
  if (!parts.bulkhead) return send(chosen, attempting, tools);
  const slot = await slotOf(attempting);
  if (slot === undefined) {
    if (chosen.permit !== undefined) chosen.breaker?.done(chosen.permit, "ignored", 0);
    return err(attempting.request.signal.aborted ? CLIENT_GONE : FULL);
  }
  try {
    return await send(chosen, attempting, tools);
  } finally {
    parts.bulkhead.leave(slot);
  }
};

const slotOf = async ({ parts, deadline }: Attempting): Promise<BulkheadSlot | undefined> => {
  const { bulkhead, policy } = parts;
  if (!policy.bulkhead || policy.bulkhead.queue === 0) return bulkhead?.enter();
  try {
    return await bulkhead?.wait(deadline.signal);
  } catch {
    return undefined;
  }
};

const send = async (chosen: Chosen, attempting: Attempting, tools: Tools): Promise<Sent> => {
  const { parts, targets, copies, resends, signal } = attempting;
  const { target, breaker, permit } = chosen;
  const { clock } = tools;
  // One alone need not be compared with others.
  const balancer = targets.length > 1 ? parts.balancer : undefined;
  const began = clock();
  balancer?.started(target);
  const sent = await inTime(target.upstream.fetch(copies.next(signal), resends), attempting, tools);
  const now = clock();
  const tookMs = now - began;
  const outcome = judged(sent, attempting);
  if (permit !== undefined) breaker?.done(permit, outcome, tookMs, now);
  balancer?.finished(target, { tookMs, failed: outcome === "failure" });
  if (balancer && outcome !== "ignored") parts.outliers?.finished(target, outcome === "failure");
  parts.quantile?.record(tookMs);
  return sent;
};

const judged = (sent: Sent, { signal, hurried }: Attempting): BreakerOutcome => {
  if (sent.ok) return isFailure(sent.value) ? "failure" : "success";
  if (sent.error.code === "client_gone" || signal?.aborted) return "ignored";
  return sent.error.code === "late" && hurried ? "ignored" : "failure";
};

/** A timer costs a tenth of a signal, and an instance that does not heed signals is left behind, too. */
const inTime = (answer: Promise<Response>, attempting: Attempting, { timer }: Tools): Promise<Sent> =>
  new Promise((resolve) => {
    const { deadline, request, parts } = attempting;
    let over = false;
    const stop = timer(Math.max(0, deadline.remainingMs()), () => {
      over = true;
      resolve(err({ code: "late", withinMs: parts.policy.deadlineMs }));
    });
    answer.then(
      (response) => {
        stop();
        if (over) discard(ok(response));
        else resolve(ok(response));
      },
      () => {
        stop();
        resolve(err(request.signal.aborted ? CLIENT_GONE : deadline.isOver() ? lateIn(parts) : UNREACHABLE));
      },
    );
  });

const lateIn = ({ policy }: UpstreamParts): SendRefusal => ({ code: "late", withinMs: policy.deadlineMs });
