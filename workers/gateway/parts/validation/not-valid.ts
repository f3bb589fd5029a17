/** What is said of a request or an answer that its document does not allow. */
import { trace } from "@opentelemetry/api";
import { PLATFORM_PROBLEMS } from "#shared/http/errors.ts";
import { type FieldFault, problemResponse } from "#shared/http/problem.ts";
import { type Exchange, editAnswer } from "../../exchange.ts";
import type { Unchecked } from "./bounded-check.ts";

export interface NotValid {
  readonly code:
    | "invalid_parameter"
    | "invalid_body"
    | "invalid_json"
    | "unsupported_media_type"
    | "answer_not_valid";
  /** What was read: "body", "query". */
  readonly subject: string;
  /** One at least. */
  readonly errors: readonly FieldFault[];
}

/** Of all of it, not of one place. */
export const whole = (code: NotValid["code"], subject: string, message: string): NotValid => ({
  code,
  subject,
  errors: [{ path: "", message }],
});

export const refuseNotValid = (
  exchange: Pick<Exchange, "path" | "requestId">,
  { code, subject, errors }: NotValid,
): Response => {
  const [first] = errors;
  const place = first?.path ? ` at ${JSON.stringify(first.path)}` : "";
  const detail = `Reading the ${subject}${place}: ${first?.message ?? "not valid"}.`;
  return problemResponse({ code, detail }, PLATFORM_PROBLEMS, {
    instance: exchange.path,
    errors,
    headers: { "x-request-id": exchange.requestId },
  });
};

/** In the trace, and in `Skerry-Validation` of the answer; nothing of what was sent. */
export const reportNotValid = (exchange: Exchange, { code, subject, errors }: NotValid): void => {
  const places = errors.map(({ path }) => path).slice(0, 10);
  noteEvent(exchange, { code, subject, places });
  const value = `${code}; errors=${errors.length}`;
  editAnswer(exchange, { kind: "append", name: "skerry-validation", value });
};

/** What was passed on without having been looked at. */
export const noteUnchecked = (exchange: Exchange, subject: string, reason: Unchecked): void =>
  noteEvent(exchange, { unchecked: reason, subject });

const noteEvent = (exchange: Exchange, attributes: Record<string, string | string[]>): void => {
  trace
    .getSpan(exchange.trace)
    ?.addEvent(
      "skerry.validation",
      Object.fromEntries(
        Object.entries(attributes).map(([key, value]) => [`skerry.validation.${key}`, value]),
      ),
    );
};
