/** Topics and requests as their owner declares them in its `contract.ts`: a name, a version, and what they carry. */
import type * as z from "zod";
import { LIMITS } from "../limits.ts";

/** What is published, and heard by whoever listens. */
export interface TopicType<Data extends z.ZodType = z.ZodType> {
  readonly kind: "topic";
  readonly name: string;
  /** `major.minor`. Another major is another address; a minor one may only add fields that receivers can do without. */
  readonly version: string;
  /** Not strict, so that a receiver lets pass what a newer minor version added. */
  readonly data: Data;
}

/** What one service asks of another, and what it answers. */
export interface RequestType<Asked extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> {
  readonly kind: "request";
  readonly name: string;
  readonly version: string;
  readonly request: Asked;
  readonly answer: Answer;
  /** After that it is `unavailable`, unless the requester's own time ends sooner. */
  readonly timeoutMs: number;
}

export type MessageType = TopicType | RequestType;

/** Whose it is, and where it is sent to. */
export interface Addressed {
  readonly service: string;
  /** `<service>.<name>.v<major>`: what spans, counts and subjects call it. */
  readonly address: string;
}

export type Topic<Data extends z.ZodType = z.ZodType> = TopicType<Data> & Addressed;
export type Request<Asked extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> = RequestType<
  Asked,
  Answer
> &
  Addressed;

const FIRST_VERSION = "1.0";

/** Safe as tokens of a NATS subject: lower case, dots between words. */
const NAME = /^[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)*$/;
const VERSION = /^([1-9]\d{0,3})\.(?:0|[1-9]\d{0,3})$/;
const NAME_CHARACTERS = 100;

/** `topic("prices.changed", z.object({ sku: skuSchema }))` */
export const topic = <Data extends z.ZodType>(
  name: string,
  data: Data,
  { version = FIRST_VERSION }: { version?: string } = {},
): TopicType<Data> => ({ kind: "topic", name, version, data });

/** `request("quote", { request: z.object({ … }), answer: z.object({ … }), timeoutMs: 500 })` */
export const request = <Asked extends z.ZodType, Answer extends z.ZodType>(
  name: string,
  {
    version = FIRST_VERSION,
    ...parts
  }: { request: Asked; answer: Answer; timeoutMs: number; version?: string },
): RequestType<Asked, Answer> => ({ kind: "request", name, version, ...parts });

/**
 * The messages of a service, by the names that code calls them by.
 * @throws RangeError for a name, version or time that cannot be, and for two messages of one address
 */
export const messagesOf = <const Types extends Readonly<Record<string, MessageType>>>(
  service: string,
  types: Types,
): { readonly [Key in keyof Types]: Types[Key] & Addressed } => {
  const addresses = new Set<string>();
  const addressed = Object.entries(types).map(([key, type]) => {
    const address = addressOf(service, type);
    if (addresses.has(address))
      throw new RangeError(`Cannot declare "${key}": its address "${address}" is another message's`);
    addresses.add(address);
    return [key, { ...type, service, address }];
  });
  return Object.fromEntries(addressed) as { readonly [Key in keyof Types]: Types[Key] & Addressed };
};

const addressOf = (service: string, type: MessageType): string => {
  const { name, version } = type;
  if (!NAME.test(name) || name.length > NAME_CHARACTERS)
    throw new RangeError(
      `Cannot declare the ${type.kind} "${name.slice(0, NAME_CHARACTERS)}": expected words of a-z, 0-9, "_" and "-" with dots between`,
    );
  const major = VERSION.exec(version)?.[1];
  if (major === undefined)
    throw new RangeError(`Cannot declare "${name}" in version "${version}": expected one as "1.0"`);
  if (type.kind === "request" && !(type.timeoutMs > 0 && type.timeoutMs <= LIMITS.messageRequestMs))
    throw new RangeError(
      `Cannot declare "${name}" with timeoutMs "${type.timeoutMs}": expected 1 to ${LIMITS.messageRequestMs}`,
    );
  return `${service}.${name}.v${major}`;
};
