/** What stands in a message: one CloudEvents 1.0 event (JSON format, section 3). */
import * as z from "zod";
import type { Failure } from "../http/errors.ts";
import { err, ok, type Result } from "../result.ts";

/** What became of a request, as the last part of its answer's `type`. */
const ANSWERED = "answered";
const REFUSED = "refused";

export interface Envelope {
  readonly id: string;
  /** The service that sent it. */
  readonly source: string;
  /** RFC 3339 UTC. */
  readonly time: string;
  /** `major.minor` of the declaration that it was sent by. */
  readonly version: string;
  readonly data: unknown;
}

const cloudEventSchema = z.object({
  specversion: z.literal("1.0"),
  id: z.string().min(1),
  source: z.string().startsWith("/"),
  type: z.string().min(1),
  time: z.string(),
  messageversion: z.string(),
  data: z.unknown(),
});

const refusalSchema = z.object({ code: z.string().min(1), detail: z.string() });

const encode = (type: string, { id, source, time, version, data }: Envelope): string =>
  JSON.stringify({
    specversion: "1.0",
    id,
    source: `/${source}`,
    type,
    time,
    datacontenttype: "application/json",
    // An extension attribute.
    messageversion: version,
    data,
  });

export const encodeMessage = (address: string, envelope: Envelope): string => encode(address, envelope);

export const encodeAnswer = (address: string, envelope: Envelope): string =>
  encode(`${address}.${ANSWERED}`, envelope);

export const encodeRefusal = (
  address: string,
  { code, detail }: Failure,
  envelope: Omit<Envelope, "data">,
): string => encode(`${address}.${REFUSED}`, { ...envelope, data: { code, detail } });

/** Undefined for what is no CloudEvent of this type. */
const decode = (text: string, types: readonly string[]): { type: string; envelope: Envelope } | undefined => {
  try {
    const { type, source, messageversion, ...rest } = cloudEventSchema.parse(JSON.parse(text));
    if (!types.includes(type)) return undefined;
    return { type, envelope: { ...rest, source: source.slice(1), version: messageversion } };
  } catch {
    return undefined;
  }
};

/** Refuses what is no message of this address with `malformed_request`. */
export const decodeMessage = (address: string, text: string): Result<Envelope, Failure> => {
  const decoded = decode(text, [address]);
  if (decoded) return ok(decoded.envelope);
  const detail = `Reading a message of "${address}": expected a CloudEvent of this type.`;
  return err({ code: "malformed_request", detail });
};

/** The answer's data, or what the answerer refused with; `answer_not_valid` for what is neither. */
export const decodeAnswer = (address: string, text: string): Result<unknown, Failure> => {
  const decoded = decode(text, [`${address}.${ANSWERED}`, `${address}.${REFUSED}`]);
  if (decoded?.type.endsWith(`.${ANSWERED}`)) return ok(decoded.envelope.data);
  const refusal = refusalSchema.safeParse(decoded?.envelope.data);
  if (refusal.success) return err(refusal.data);
  const detail = `Reading the answer to "${address}": expected a CloudEvent that answers or refuses.`;
  return err({ code: "answer_not_valid", detail });
};
