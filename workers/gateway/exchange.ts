/** One request on its way through the gateway: what its parts know of it, and leave for each other. */
import type { Context as TraceContext } from "@opentelemetry/api";
import { PLATFORM_PROBLEMS } from "#shared/http/errors.ts";
import { problemResponse } from "#shared/http/problem.ts";
import type { Caller } from "#shared/identity/caller.ts";
import type { SendRefusal } from "./policy/refusal.ts";
import type { RequestFields } from "./request-fields.ts";

export interface Exchange {
  /** The client's. Who has read its body puts one in its place that can be read. */
  request: Request;
  /** The request's, as it came. */
  readonly fields: RequestFields;
  readonly requestId: string;
  /** Of the request's URL, without query. */
  readonly path: string;
  /** The route's key in the configuration, or `{service}/v{major}` by the registry. */
  readonly route: string;
  /** The trace that it belongs to; active already where it is recorded, or where parts ask others. */
  readonly trace: TraceContext;
  /** By the names in the route's pattern; values are percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The service that it goes to; empty where it goes to a fixed URL. */
  readonly service: string;
  /** The service's major version; undefined where it goes to a fixed URL. */
  readonly major: number | undefined;
  /** The least minor version that is good enough. */
  readonly minor: number;
  /** Where it goes in the place of the request's own URL; of its path and query alone is made use. */
  readonly url: string | undefined;
  /** Tells where it goes from where else its route leads, or led before, beside service and version; see `leadsOf`. */
  readonly leads?: string;
  /** Work that goes on after the answer. */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** The client's address by the stated rule; undefined when it cannot be known. */
  readonly clientAddress?: string | undefined;
  /** Who calls, once authentication has found out. */
  caller?: Caller;
  /** Why the upstream gave no answer: set by sending, for the parts around it. */
  refusal?: SendRefusal;
  /** How what the upstream gets differs from what the client sent. */
  onward?: HeaderEdit[];
  /** Changes to the answer, made once, when it leaves. */
  answer?: HeaderEdit[];
  /** For `Server-Timing`; absent where the route does not ask for it. */
  readonly timings?: Timing[];
}

export interface HeaderEdit {
  readonly kind: "set" | "append" | "remove";
  /** Lower case. */
  readonly name: string;
  /** Empty for `remove`. */
  readonly value: string;
}

export interface Timing {
  readonly name: string;
  readonly ms: number;
}

/** Never rejects: what goes wrong is an answer, too. */
export type Handler = (exchange: Exchange) => Promise<Response>;

/** Does its work around the next one. Made once for each configuration. */
export type Part = (next: Handler) => Handler;

/** Changes what the upstream gets, not what other parts see. */
export const editOnward = (exchange: Exchange, edit: HeaderEdit): void => {
  exchange.onward ??= [];
  exchange.onward.push(edit);
};

/** Changes the answer when it leaves. */
export const editAnswer = (exchange: Exchange, edit: HeaderEdit): void => {
  exchange.answer ??= [];
  exchange.answer.push(edit);
};

/** The gateway's own answer to what it does not send on: problem+json with the request's name. */
export const refusal = (
  exchange: Pick<Exchange, "path" | "requestId">,
  code: keyof typeof PLATFORM_PROBLEMS,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response =>
  problemResponse({ code, detail }, PLATFORM_PROBLEMS, {
    instance: exchange.path,
    headers: { "x-request-id": exchange.requestId, ...headers },
  });
