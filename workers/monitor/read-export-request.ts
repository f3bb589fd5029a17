/** Reads an OTLP ExportTraceServiceRequest in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
import { err, ok, type Result } from "#shared/result.ts";
import { asList, asText, isRecord, readAttributes } from "./read-attributes.ts";
import type {
  Attributes,
  SpanDetail,
  SpanEvent,
  SpanKindName,
  SpanLink,
  SpanStatusName,
  StoredSpan,
} from "./stored-span.ts";

export interface ExportRequest {
  readonly spans: readonly StoredSpan[];
  /** Spans whose ids or times are not valid: told to the sender, who must not send them again. */
  readonly rejected: number;
}

const NAME_LENGTH_MAX = 300;
const EVENTS_MAX = 32;
const LINKS_MAX = 32;
/** Keeps a span well under the 2 MB of one SQLite row, and a full store in bounds. */
const DETAIL_LENGTH_MAX = 32 * 1024;

/** Unknown fields are ignored, missing ones have proto3's defaults; refuses what is no export request at all. */
export const readExportRequest = (body: unknown): Result<ExportRequest, string> => {
  if (!isRecord(body)) return err("Reading the export request: expected a JSON object.");
  const { resourceSpans = [] } = body;
  if (resourceSpans !== null && !Array.isArray(resourceSpans))
    return err('Reading the export request: expected "resourceSpans" to be an array.');
  const read = asList(resourceSpans).flatMap(readResourceSpans);
  const spans = read.filter((span) => span !== undefined);
  return ok({ spans, rejected: read.length - spans.length });
};

const readResourceSpans = (resourceSpans: unknown): (StoredSpan | undefined)[] => {
  if (!isRecord(resourceSpans)) return [undefined];
  const resource = isRecord(resourceSpans.resource) ? readAttributes(resourceSpans.resource.attributes) : {};
  return asList(resourceSpans.scopeSpans).flatMap((scopeSpans) =>
    asList(isRecord(scopeSpans) ? scopeSpans.spans : undefined).map((span) => readSpan(span, resource)),
  );
};

const readSpan = (span: unknown, resource: Attributes): StoredSpan | undefined => {
  if (!isRecord(span)) return undefined;
  const traceId = readId(span.traceId, 32);
  const spanId = readId(span.spanId, 16);
  const startUs = readMicroseconds(span.startTimeUnixNano);
  const endUs = readMicroseconds(span.endTimeUnixNano);
  if (!traceId || !spanId || !startUs || !endUs) return undefined;
  return {
    traceId,
    spanId,
    parentSpanId: readId(span.parentSpanId, 16) ?? null,
    service: asText(resource["service.name"], 100) || "unknown_service",
    name: asText(span.name, NAME_LENGTH_MAX) || "(no name)",
    kind: readEnum(span.kind, KINDS, "SPAN_KIND_"),
    startUs,
    endUs: Math.max(startUs, endUs),
    status: readEnum(isRecord(span.status) ? span.status.code : 0, STATUSES, "STATUS_CODE_"),
    detail: boundedDetail(readDetail(span, resource)),
  };
};

const KINDS: readonly SpanKindName[] = [
  "unspecified",
  "internal",
  "server",
  "client",
  "producer",
  "consumer",
];

const STATUSES: readonly SpanStatusName[] = ["unset", "ok", "error"];

/** Senders write enums as numbers; proto3 JSON also allows their names. */
const readEnum = <Name extends string>(value: unknown, names: readonly Name[], prefix: string): Name => {
  const byName =
    typeof value === "string" ? names.find((name) => prefix + name.toUpperCase() === value) : undefined;
  const byNumber = typeof value === "number" ? names[value] : undefined;
  return byName ?? byNumber ?? (names[0] as Name);
};

const readId = (value: unknown, length: number): string | undefined =>
  typeof value === "string" && value.length === length && /^[0-9a-f]+$/i.test(value) && !/^0+$/.test(value)
    ? value.toLowerCase()
    : undefined;

/** Undefined for zero, which the protocol calls unknown, and for times after the year 2200. */
const readMicroseconds = (nanoseconds: unknown): number | undefined => {
  const text = typeof nanoseconds === "number" ? String(nanoseconds) : nanoseconds;
  if (typeof text !== "string" || !/^\d{1,20}$/.test(text)) return undefined;
  const us = Number(BigInt(text) / 1_000n);
  return us > 0 && us < 7.3e15 ? us : undefined;
};

const readDetail = (span: Record<string, unknown>, resource: Attributes): SpanDetail => {
  const statusMessage = isRecord(span.status) ? asText(span.status.message) : "";
  return {
    ...(statusMessage && { statusMessage }),
    attributes: readAttributes(span.attributes),
    events: asList(span.events).slice(0, EVENTS_MAX).flatMap(readEvent),
    links: asList(span.links).slice(0, LINKS_MAX).flatMap(readLink),
    resource,
  };
};

const readEvent = (event: unknown): SpanEvent[] => {
  if (!isRecord(event)) return [];
  const atUs = readMicroseconds(event.timeUnixNano) ?? 0;
  return [{ name: asText(event.name, NAME_LENGTH_MAX), atUs, attributes: readAttributes(event.attributes) }];
};

const readLink = (link: unknown): SpanLink[] => {
  if (!isRecord(link)) return [];
  const traceId = readId(link.traceId, 32);
  const spanId = readId(link.spanId, 16);
  return traceId && spanId ? [{ traceId, spanId }] : [];
};

/** A span that says too much keeps its place in the trace and loses what it said. */
const boundedDetail = (detail: SpanDetail): SpanDetail =>
  JSON.stringify(detail).length <= DETAIL_LENGTH_MAX
    ? detail
    : { attributes: { "skerry.detail.dropped": true }, events: [], links: [], resource: {} };
