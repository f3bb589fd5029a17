/** Holds requests, and in development answers, to the OpenAPI document of the service that they go to. */

import { type Deadline, deadlineFrom } from "#shared/resilience/deadline.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { cookieOf } from "../../cookies.ts";
import type { OpenApiDocuments } from "../../documents/openapi-documents.ts";
import type { JsonObject } from "../../documents/service-document.ts";
import { type Exchange, type Handler, type Part, refusal } from "../../exchange.ts";
import { requestPath } from "../../request-path.ts";
import { checkAnswer } from "./answer-body.ts";
import { type NotValid, noteUnchecked, refuseNotValid, reportNotValid } from "./not-valid.ts";
import { type FindOperation, type FoundOperation, operationsOf } from "./operations.ts";
import type { RequestTexts } from "./parameter-values.ts";
import { checkBody } from "./request-body.ts";
import type { WrittenValidation } from "./validation-schema.ts";

export interface ValidationOptions {
  readonly documents: Pick<OpenApiDocuments, "of" | "isDue" | "refresh">;
  readonly clock: Clock;
  readonly timer: Timer;
  /** The route's: a body that takes longer to come is not waited for. */
  readonly deadlineMs: number;
}

export const VALIDATION_DEFAULTS = {
  requests: "refuse",
  answers: false,
  bodyBytesMax: 64 * 1024,
  unknownQuery: "allow",
} as const satisfies Required<WrittenValidation>;

type Settings = {
  readonly [Name in keyof WrittenValidation]-?: Exclude<WrittenValidation[Name], undefined>;
};

/**
 * Nobody waits for a document: what comes before it is there is passed on as it is. A request whose path or method the document
 * does not have is the service's to refuse, and what is too large or too costly to check passes with a word in its trace.
 */
export const validation = (written: WrittenValidation, options: ValidationOptions): Part => {
  const { documents, clock, timer, deadlineMs } = options;
  const settings = { ...VALIDATION_DEFAULTS, ...written } as Settings;
  const compiled = new WeakMap<JsonObject, FindOperation>();

  const operationOf = (exchange: Exchange): FoundOperation | undefined => {
    const { service, major, request } = exchange;
    if (service === "" || major === undefined) return undefined;
    if (documents.isDue(service, major)) exchange.waitUntil(documents.refresh(service, major));
    const document = documents.of(service, major);
    if (!document) return undefined;
    let find = compiled.get(document);
    if (!find) {
      find = operationsOf({ service, major, document });
      compiled.set(document, find);
    }
    return find(request.method, requestPath(urlOf(exchange)));
  };

  return (next) => async (exchange) => {
    const found = exchange.request.headers.has("upgrade") ? undefined : operationOf(exchange);
    if (!found) return next(exchange);
    if (settings.requests) {
      const times = { clock, timer, maximumMs: deadlineMs, defaultMs: deadlineMs };
      const deadline = deadlineFrom(exchange.request, times);
      const notValid = await requestFault(exchange, found, { ...settings, deadline });
      deadline.release();
      if (notValid === "late") return refusal(exchange, "deadline_exceeded", LATE);
      if (notValid && settings.requests === "refuse") return refuseNotValid(exchange, notValid);
      if (notValid) reportNotValid(exchange, notValid);
    }
    return settings.answers ? checkedAnswer(exchange, next, found, settings) : next(exchange);
  };
};

const LATE = "Reading the body: expected its end in time, and it did not come.";

/** As the service gets it. */
const urlOf = (exchange: Exchange): string => exchange.url ?? exchange.request.url;

const requestFault = async (
  exchange: Exchange,
  { operation, params }: FoundOperation,
  { bodyBytesMax, unknownQuery, deadline }: Settings & { readonly deadline: Deadline },
): Promise<NotValid | "late" | undefined> => {
  const { faults, unchecked } = operation.parameters(textsOf(exchange, params), unknownQuery);
  const [first] = faults;
  if (first) {
    const errors = faults.map(({ path, message }) => ({ path, message }));
    return { code: "invalid_parameter", subject: SUBJECTS[first.in], errors };
  }
  for (const reason of unchecked) noteUnchecked(exchange, "parameters", reason);
  if (!operation.body) return undefined;
  const verdict = await checkBody(exchange, operation.body, { bytesMax: bodyBytesMax, deadline });
  if (typeof verdict === "string" && deadline.isOver()) return "late";
  if (typeof verdict !== "string") return verdict;
  noteUnchecked(exchange, "body", verdict);
  return undefined;
};

const SUBJECTS = { path: "path", query: "query", header: "headers", cookie: "cookies" } as const;

const textsOf = (exchange: Exchange, path: ReadonlyMap<string, string>): RequestTexts => {
  const { headers } = exchange.request;
  const url = urlOf(exchange);
  const query = url.indexOf("?");
  return {
    path,
    query: new URLSearchParams(query < 0 ? "" : url.slice(query)),
    headers,
    cookie: (name) => cookieOf(headers.get("cookie") ?? "", name),
  };
};

const checkedAnswer = async (
  exchange: Exchange,
  next: Handler,
  { operation }: FoundOperation,
  { answers, bodyBytesMax }: Settings,
): Promise<Response> => {
  const { method, signal } = exchange.request;
  const given = await next(exchange);
  // The gateway's own word, and answers that have no content of their own.
  if (exchange.refusal || method === "HEAD" || given.status === 304 || given.status === 101) return given;
  const { answer, verdict } = await checkAnswer(given, operation, { bytesMax: bodyBytesMax, signal });
  if (typeof verdict === "string") noteUnchecked(exchange, "answer", verdict);
  else if (verdict) {
    reportNotValid(exchange, verdict);
    if (answers === "refuse") {
      await answer.body?.cancel();
      return refuseNotValid(exchange, verdict);
    }
  }
  return answer;
};
