/** One request under its policy, in order: deadline, shed, then its attempts. */
import { LIMITS } from "#shared/limits.ts";
import { ownZone } from "#shared/resilience/balance/own-zone.ts";
import { type Deadline, deadlineFrom, endless } from "#shared/resilience/deadline.ts";
import { deadlineHeaderMs } from "#shared/resilience/deadline-header.ts";
import type { Outcome } from "#shared/resilience/retry.ts";
import type { Priority } from "#shared/resilience/throttle.ts";
import { err } from "#shared/result.ts";
import { cookieOf } from "../cookies.ts";
import type { Exchange } from "../exchange.ts";
import { attempts, EARLY_MS, type Sending } from "./attempts.ts";
import { isServicesWord } from "./failure.ts";
import { BODY_BROKEN, CLIENT_GONE, isClientsDoing, type SendRefusal, SHED } from "./refusal.ts";
import { keptCopies, type RequestCopies, streamedCopies } from "./request-copies.ts";
import type { Target } from "./target.ts";
import type { Tools, UpstreamParts } from "./upstream-parts.ts";

export interface Sendable {
  readonly exchange: Exchange;
  /** Who calls, for services of the platform alone: see `onwardRequest`. */
  readonly identity?: string | undefined;
  readonly parts: UpstreamParts;
  readonly targets: readonly Target[];
  readonly lookAgain: Sending["lookAgain"];
}

/** The answer that the client gets, its body unread, or why there is none. Never rejects. */
export const sendRequest = async (sendable: Sendable, tools: Tools): Promise<Outcome<SendRefusal>> => {
  const { exchange, identity, parts, targets, lookAgain } = sendable;
  const { request, url } = exchange;
  const { retry, hedge } = parts.policy;
  const { deadline, hurried } = endOf(exchange, parts, tools);
  if (hurried && deadline.isOver()) return err({ code: "late", withinMs: 0 });
  const { throttle } = parts;
  const permit = throttle?.enter(priorityOf(request, parts));
  if (throttle && permit === undefined) return err(SHED);

  const again = retry || (hedge && NO_RETRY);
  const copying = { exchange, url, identity, deadline, again, timer: tools.timer };
  try {
    const kept = keptCopies(copying);
    const copies = kept ? await kept : streamedCopies(copying);
    const refused = kept && unread(copies, exchange, deadline, parts);
    if (refused) {
      if (throttle && permit !== undefined) throttle.done(permit, "ignored");
      return err(refused);
    }
    const key = keyOf(request, parts);
    const zone = parts.policy.zone === "prefer" ? ownZone(request, parts.zone) : undefined;
    const sent = await attempts(
      { exchange, copies, deadline, parts, targets, key, zone, hurried, lookAgain },
      tools,
    );
    if (throttle && permit !== undefined) throttle.done(permit, acceptance(sent));
    return sent;
  } finally {
    deadline.release();
  }
};

/** What became of a body that was waited for: no instance was asked, so that none has failed. */
const unread = (
  copies: RequestCopies,
  { request }: Exchange,
  deadline: Deadline,
  parts: UpstreamParts,
): SendRefusal | undefined => {
  // What ended the wait may have come too early by the clock.
  const isLate = deadline.remainingMs() <= (copies.stand() === "broken" ? EARLY_MS : 0);
  if (isLate) return { code: "body_late", withinMs: withinMsOf(parts) };
  if (copies.stand() === "over") return { code: "body_over", bytesMax: LIMITS.requestBodyBytes };
  if (copies.stand() !== "broken") return undefined;
  return request.signal.aborted ? CLIENT_GONE : BODY_BROKEN;
};

const withinMsOf = ({ policy }: UpstreamParts): number =>
  policy.deadlineMs === false ? LIMITS.latencyMs : policy.deadlineMs;

interface Ending {
  readonly deadline: Deadline;
  /** The client wants it sooner than the policy. */
  readonly hurried: boolean;
}

const endOf = ({ request, fields }: Exchange, { policy }: UpstreamParts, { clock, timer }: Tools): Ending => {
  const { deadlineMs } = policy;
  if (deadlineMs === false && deadlineHeaderMs(fields) === undefined) {
    return { deadline: endless(request), hurried: false };
  }
  const maximumMs = deadlineMs === false ? LIMITS.latencyMs : deadlineMs;
  const began = clock();
  // The signal is dear, and only waits ask for it.
  const asking = {
    headers: fields,
    get signal() {
      return request.signal;
    },
  };
  const deadline = deadlineFrom(asking, { clock, timer, maximumMs, defaultMs: maximumMs });
  return { deadline, hurried: deadline.at < began + maximumMs };
};

/** For hedges alone: what may be sent twice is what retries would send again by default. */
const NO_RETRY = { safeMethods: [] as readonly string[], bodyBytesMax: 64 * 1024 };

const priorityOf = (request: Request, { policy }: UpstreamParts): Priority => {
  const header = policy.throttle ? policy.throttle.priorityHeader : undefined;
  const said = header ? request.headers.get(header) : null;
  return said === "low" || said === "high" ? said : "normal";
};

const acceptance = (sent: Outcome<SendRefusal>): "accepted" | "rejected" | "ignored" => {
  if (!sent.ok) return isClientsDoing(sent.error) ? "ignored" : "rejected";
  const { status } = sent.value;
  return status === 429 || (status === 503 && !isServicesWord(sent.value)) ? "rejected" : "accepted";
};

const keyOf = (request: Request, { policy }: UpstreamParts): string | undefined => {
  const { balance } = policy;
  if (typeof balance === "string") return undefined;
  const by = "hash" in balance ? balance.hash : balance.sticky;
  if ("header" in by) return request.headers.get(by.header) ?? undefined;
  return cookieOf(request.headers.get("cookie") ?? "", by.cookie);
};
