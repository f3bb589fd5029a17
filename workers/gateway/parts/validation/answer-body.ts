/** Holds an answer to what an operation declares for its status. The answer is read whole, so that this is for development. */
import { replayableBody } from "#shared/resilience/replayable-body.ts";
import type { Unchecked } from "./bounded-check.ts";
import { essenceOf, isJsonType } from "./media-types.ts";
import { type NotValid, whole } from "./not-valid.ts";
import type { CheckedOperation } from "./operations.ts";

export interface CheckedAnswer {
  /** The same answer, with a body that can be read. */
  readonly answer: Response;
  readonly verdict: NotValid | Unchecked | undefined;
}

const NULL_BODY = new Set([101, 204, 205, 304]);

export const checkAnswer = async (
  answer: Response,
  operation: CheckedOperation,
  options: { readonly bytesMax: number; readonly signal: AbortSignal },
): Promise<CheckedAnswer> => {
  const content = operation.answer(answer.status);
  if (!content) {
    const message = `expected a status that the document names, not ${answer.status}`;
    return { answer, verdict: notValid(message) };
  }
  if (answer.body === null || NULL_BODY.has(answer.status)) return { answer, verdict: undefined };
  const written = answer.headers.get("content-type");
  const essence = essenceOf(written);
  const type = content.types.of(essence);
  if (!type) {
    if (content.types.names.length === 0) return { answer, verdict: undefined };
    const names = content.types.names.slice(0, 10).join(", ");
    const verdict = notValid(
      `its Content-Type is ${JSON.stringify((written ?? "").slice(0, 100))}; expected one of ${names}`,
    );
    return { answer, verdict };
  }
  const check = content.check(type);
  // What is compressed is not read.
  if (!check || !isJsonType(essence) || answer.headers.has("content-encoding"))
    return { answer, verdict: undefined };
  const body = await replayableBody(answer, options);
  const opened = body.open();
  const anew = new Response(opened.body, answer);
  if (!body.replayable || !(opened.body instanceof Uint8Array)) return { answer: anew, verdict: "too_large" };
  const read = jsonOf(opened.body);
  if (!read) return { answer: anew, verdict: notValid("expected JSON in UTF-8") };
  const found = check(read.value);
  if (typeof found === "string") return { answer: anew, verdict: found };
  const verdict: NotValid | undefined =
    found.length === 0 ? undefined : { code: "answer_not_valid", subject: "service's answer", errors: found };
  return { answer: anew, verdict };
};

const notValid = (message: string): NotValid => whole("answer_not_valid", "service's answer", message);

const jsonOf = (bytes: Uint8Array): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)) };
  } catch {
    return undefined;
  }
};
