/** Injects faults in the open: a share of the requests, or those that ask for it, wait, or get an error. */
import { PLATFORM_PROBLEMS } from "#shared/http/errors.ts";
import { problemResponse } from "#shared/http/problem.ts";
import type { Random, Sleep } from "#shared/runtime/clock.ts";
import { type Exchange, editAnswer, type Part } from "../../exchange.ts";
import { UNREACHABLE } from "../../policy/refusal.ts";
import { FAULT_DEFAULTS, type WrittenFault } from "./fault-schema.ts";
import { type OrderedFaults, orderedFaults } from "./ordered-faults.ts";

export interface FaultOptions {
  readonly random: Random;
  readonly sleep: Sleep;
}

/** On requests: what is ordered. On answers: what was done, so that nobody looks for the cause elsewhere. */
const HEADER = "skerry-fault";

export const fault = (
  { delay, abort, byHeader = false, at = FAULT_DEFAULTS.at }: WrittenFault,
  { random, sleep }: FaultOptions,
): Part => {
  const leastMs = delay?.ms ?? FAULT_DEFAULTS.delayMs;
  const mostMs = delay?.toMs ?? leastMs;
  const isDrawn = (percentage = 0): boolean => percentage > 0 && random() * 100 < percentage;

  const faultsFor = ({ request }: Exchange): OrderedFaults => {
    const order = byHeader ? request.headers.get(HEADER) : null;
    if (order !== null) return orderedFaults(order);
    return {
      ...(isDrawn(delay?.percentage) && { delayMs: "as configured" }),
      ...(isDrawn(abort?.percentage) && { status: "as configured" }),
    };
  };

  const wait = async (ms: number | "as configured", signal: AbortSignal): Promise<void> => {
    try {
      await sleep(
        ms === "as configured" ? leastMs + Math.floor(random() * (mostMs - leastMs + 1)) : ms,
        signal,
      );
    } catch {
      // The client has gone away: what comes next will see it, too.
    }
  };

  return (next) => async (exchange) => {
    const { delayMs, status } = faultsFor(exchange);
    if (delayMs === undefined && status === undefined) return next(exchange);
    const done = [...(delayMs === undefined ? [] : ["delay"]), ...(status === undefined ? [] : ["abort"])];
    editAnswer(exchange, { kind: "set", name: HEADER, value: done.join(", ") });
    if (delayMs !== undefined) await wait(delayMs, exchange.request.signal);
    if (status === undefined) return next(exchange);
    if (at === "service") exchange.refusal = UNREACHABLE;
    return aborted(exchange, status === "as configured" ? (abort?.status ?? FAULT_DEFAULTS.status) : status);
  };
};

const aborted = ({ path, requestId }: Exchange, status: number): Response => {
  const detail = `Calling ${JSON.stringify(path.slice(0, 200))}: it was not sent on, for a failure was ordered here.`;
  const table = { fault_injected: { ...PLATFORM_PROBLEMS.fault_injected, status } };
  return problemResponse({ code: "fault_injected", detail }, table, {
    instance: path,
    headers: { "x-request-id": requestId },
  });
};
