/** Gives clients content when a service gives no usable answer, and operators the fault. */
import { trace } from "@opentelemetry/api";
import { PROBLEM_MEDIA_TYPE } from "#shared/http/problem.ts";
import { deadlineFrom } from "#shared/resilience/deadline.ts";
import { deadlineHeaderMs } from "#shared/resilience/deadline-header.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import { replayableBody } from "#shared/resilience/replayable-body.ts";
import { maySendAgain } from "#shared/resilience/retry-safety.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { type Exchange, editAnswer, type Part, refusal } from "../../exchange.ts";
import { isServicesWord } from "../../policy/failure.ts";
import { isClientsDoing } from "../../policy/refusal.ts";
import { letGo } from "./elsewhere.ts";
import { FALLBACK_DEFAULTS, type WrittenFallback } from "./fallback-schema.ts";
import { type Failed, type Step, type StepOptions, stepOf } from "./fallback-steps.ts";

export interface FallbackOptions extends Omit<StepOptions, "statuses"> {
  readonly clock: Clock;
  readonly timer: Timer;
  /** The route's: all steps end with the request's own deadline. */
  readonly deadlineMs: number;
  /** Methods that the service lets be sent twice beside the idempotent ones. */
  readonly safeMethods: readonly string[];
}

export const fallback = (written: WrittenFallback, options: FallbackOptions): Part => {
  const { clock, timer, deadlineMs, safeMethods } = options;
  const { bodyBytesMax = FALLBACK_DEFAULTS.bodyBytesMax } = written;
  const statuses: readonly number[] = written.statuses ?? FALLBACK_DEFAULTS.statuses;
  const methods: ReadonlySet<string> = new Set(written.methods ?? FALLBACK_DEFAULTS.methods);
  const steps = written.steps.map((step) => stepOf(step, { ...options, statuses }));
  const goesElsewhere = steps.some(({ kind }) => kind === "service");

  const remainingAfter = ({ request }: Exchange, began: number): number =>
    Math.min(deadlineHeaderMs(request.headers) ?? deadlineMs, deadlineMs) - (clock() - began);

  /** Keeps a body that is small; the exchange gets a request in the place of the one that was read. */
  const keepBody = async (exchange: Exchange): Promise<Failed["again"]> => {
    const { request } = exchange;
    if (request.headers.has("upgrade") || !maySendAgain(request, safeMethods)) return NEVER;
    if (request.body === null) return () => request;
    const deadline = deadlineFrom(request, { clock, timer, maximumMs: deadlineMs, defaultMs: deadlineMs });
    const body = await replayableBody(request, { bytesMax: bodyBytesMax, signal: deadline.signal });
    deadline.release();
    const { url, method, headers, redirect, signal } = request;
    const anew = () => new Request(url, { method, headers, redirect, signal, ...body.open() });
    exchange.request = anew();
    return body.replayable ? anew : NEVER;
  };

  return (next) => async (exchange) => {
    if (!methods.has(exchange.request.method)) return next(exchange);
    const began = clock();
    const again = goesElsewhere ? await keepBody(exchange) : NEVER;
    const hasRead = goesElsewhere && exchange.request.body !== null;
    if (hasRead && remainingAfter(exchange, began) <= 0) return refuseSlow(exchange);
    const answer = await next(exchange);
    const fault = faultOf(exchange, answer, statuses);
    if (fault === undefined) return answer;
    const failed = { exchange, again, remainingMs: () => remainingAfter(exchange, began) };
    for (const step of steps) {
      const instead = await taken(step, failed);
      if (!instead) continue;
      tell(exchange, step.kind, fault);
      letGo(answer);
      // For the parts around this one the request has its answer.
      delete exchange.refusal;
      return marked(instead, step);
    }
    tell(exchange, "none", fault);
    return problemOf(exchange, answer);
  };
};

/** The time went into the client's own body: nobody was asked, so that nobody has failed. */
const refuseSlow = (exchange: Exchange): Response =>
  refusal(exchange, "deadline_exceeded", "Reading the body: expected its end in time, and it did not come.");

const NEVER = () => undefined;

/** Why an answer is not usable; undefined when it is, or when nobody is there to get another. */
const faultOf = (
  { refusal: refused }: Exchange,
  answer: Response,
  statuses: readonly number[],
): string | undefined => {
  if (refused) return isClientsDoing(refused) ? undefined : refused.code;
  return statuses.includes(answer.status) && !isServicesWord(answer) ? `${answer.status}` : undefined;
};

const taken = async (step: Step, failed: Failed): Promise<Response | undefined> => {
  try {
    return await step.take(failed);
  } catch {
    // A step that breaks must not keep the client from the next one.
    return undefined;
  }
};

const tell = ({ trace: context }: Exchange, kind: Step["kind"] | "none", cause: string): void => {
  const attributes = { "skerry.fallback": kind, "skerry.fallback.cause": cause };
  trace.getSpan(context)?.setAttributes(attributes).addEvent("fallback", attributes);
};

/** On the answer itself, so that no cache keeps what stands in for another answer. */
const marked = (answer: Response, { kind }: Step): Response => {
  const response = new Response(answer.body, answer);
  response.headers.set("skerry-fallback", kind);
  return response;
};

/** Nothing stood in: the client is told so in the form of all refusals, and when to come again. */
const problemOf = (exchange: Exchange, answer: Response): Response => {
  const { headers, status } = answer;
  if (headers.get("content-type")?.startsWith(PROBLEM_MEDIA_TYPE)) {
    if (status > 500 && !headers.has("retry-after"))
      editAnswer(exchange, { kind: "set", name: "retry-after", value: "1" });
    return answer;
  }
  letGo(answer);
  const whom = exchange.service === "" ? "the upstream" : `the service "${exchange.service}"`;
  return refusal(exchange, "unavailable", `Calling ${whom}: it answered with the status ${status}.`);
};
