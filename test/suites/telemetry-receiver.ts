/** Takes OTLP/HTTP JSON as a strict collector would: whatever is not valid by the protocol is an error. */
import * as z from "zod";

const uint64 = z.string().regex(/^\d{1,20}$/);
const traceId = z.string().regex(/^(?!0{32})[0-9a-f]{32}$/);
const spanId = z.string().regex(/^(?!0{16})[0-9a-f]{16}$/);
const count = z.number().int().nonnegative();

const anyValue = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ intValue: z.number().int() }),
  z.strictObject({ doubleValue: z.number() }),
  z.strictObject({ arrayValue: z.strictObject({ values: z.array(z.unknown()) }) }),
]);
const attributes = z.array(z.strictObject({ key: z.string().min(1), value: anyValue }));

const span = z.strictObject({
  traceId,
  spanId,
  parentSpanId: spanId.optional(),
  traceState: z.string().optional(),
  flags: count,
  name: z.string().min(1),
  kind: z.number().int().min(1).max(5),
  startTimeUnixNano: uint64,
  endTimeUnixNano: uint64,
  attributes,
  droppedAttributesCount: count,
  events: z.array(
    z.strictObject({ timeUnixNano: uint64, name: z.string(), attributes, droppedAttributesCount: count }),
  ),
  droppedEventsCount: count,
  links: z.array(
    z.strictObject({
      traceId,
      spanId,
      attributes,
      traceState: z.string().optional(),
      droppedAttributesCount: count,
      flags: count,
    }),
  ),
  droppedLinksCount: count,
  status: z.strictObject({ code: z.number().int().min(0).max(2), message: z.string().optional() }),
});

const exportRequest = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes, droppedAttributesCount: count }),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string(), version: z.string().optional() }),
          spans: z.array(span),
        }),
      ),
    }),
  ),
});

/** What metrics have in common with each other; the forms of their points are the monitor's business. */
const metricsRequest = z.strictObject({
  resourceMetrics: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeMetrics: z.array(z.object({ metrics: z.array(z.object({ name: z.string().min(1) })) })),
    }),
  ),
});

type WireSpan = z.infer<typeof span>;

/** A received span with the attributes as a plain record. */
export interface ReceivedSpan extends Omit<WireSpan, "attributes"> {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface TelemetryReceiver {
  /** Answers an export request; 400 and a failed `received` for one that is not valid. */
  handle(request: Request): Promise<Response>;
  /** Resolves with every span so far once `enough` says so; rejects when an invalid request came. */
  received(enough: (spans: ReceivedSpan[]) => boolean): Promise<ReceivedSpan[]>;
}

export const telemetryReceiver = (): TelemetryReceiver => {
  const spans: ReceivedSpan[] = [];
  let problem: Error | undefined;
  let notify = Promise.withResolvers<void>();

  return {
    async handle(request) {
      const { pathname } = new URL(request.url);
      if (request.method !== "POST" || !["/v1/traces", "/v1/metrics"].includes(pathname))
        problem = new Error(`Unexpected export request "${request.method} ${pathname}"`);
      try {
        const body = await request.json();
        if (pathname === "/v1/metrics") metricsRequest.parse(body);
        else spans.push(...exportRequest.parse(body).resourceSpans.flatMap(flatten));
      } catch (error) {
        problem = error as Error;
      }
      notify.resolve();
      notify = Promise.withResolvers<void>();
      return new Response("{}", { status: problem ? 400 : 200 });
    },
    async received(enough) {
      while (!problem && !enough(spans)) await notify.promise;
      if (problem) throw problem;
      return [...spans];
    },
  };
};

const flatten = ({
  resource,
  scopeSpans,
}: z.infer<typeof exportRequest>["resourceSpans"][number]): ReceivedSpan[] =>
  scopeSpans.flatMap(({ spans }) =>
    spans.map((each) => ({
      ...each,
      resource: asRecord(resource.attributes),
      attributes: asRecord(each.attributes),
    })),
  );

const asRecord = (list: z.infer<typeof attributes>): Record<string, unknown> =>
  Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
