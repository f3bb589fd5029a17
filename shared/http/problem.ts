/** One place turns a failure into an `application/problem+json` answer (RFC 9457). */
import type { TypedResponse } from "hono";
import type { ClientErrorStatusCode, ServerErrorStatusCode } from "hono/utils/http-status";
import type { Failure, ProblemTable, ProblemType } from "./errors.ts";

/** What is wrong with one place of the request; `path` is dotted, as in `lines.0.sku`, and empty for the whole. */
export interface FieldFault {
  readonly path: string;
  readonly message: string;
}

/** The body of every answer that is not a success. */
export interface Problem {
  /** `/problems/<code>`: the gateway explains it at that address. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Path of the request that failed. */
  readonly instance?: string;
  readonly errors?: FieldFault[];
}

export interface ProblemExtras {
  readonly instance?: string;
  readonly errors?: readonly FieldFault[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** A response that typed routes accept beside their own answers. */
export type ProblemResponse = Response &
  TypedResponse<Problem, ClientErrorStatusCode | ServerErrorStatusCode, "json">;

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

const RETRY_AFTER_SECONDS = "1";

const UNKNOWN: ProblemType = { status: 500, title: "Something went wrong on our side", retryable: false };

/**
 * The answer that `table` describes for the failure's code; `Retry-After` when the same request may succeed later.
 * A code that the table does not have is a defect: it becomes a 500 that tells nothing of the inside.
 */
export const problemResponse = (
  failure: Failure,
  table: ProblemTable,
  extras: ProblemExtras = {},
): ProblemResponse => {
  const known = Object.hasOwn(table, failure.code) ? table[failure.code] : undefined;
  const { status, title, retryable } = known ?? UNKNOWN;
  const problem: Problem = {
    type: `/problems/${known ? failure.code : "internal_error"}`,
    title,
    status,
    detail: known ? failure.detail : "The request was not completed.",
    ...(extras.instance && { instance: extras.instance }),
    ...(extras.errors && { errors: [...extras.errors] }),
  };
  return new Response(JSON.stringify(problem), {
    status,
    headers: {
      "content-type": PROBLEM_MEDIA_TYPE,
      "cache-control": "no-store",
      ...(retryable && { "retry-after": RETRY_AFTER_SECONDS }),
      ...extras.headers,
    },
  }) as ProblemResponse;
};
