/** A span as the monitor keeps and shows it. */

export type SpanKindName = "unspecified" | "internal" | "server" | "client" | "producer" | "consumer";

export type SpanStatusName = "unset" | "ok" | "error";

/** What an attribute may hold once it has been read: anything nested has become JSON text. */
export type AttributeValue = string | number | boolean | null;

export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface SpanEvent {
  readonly name: string;
  readonly atUs: number;
  readonly attributes: Attributes;
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
}

/** The parts of a span that are only read when someone looks at it. */
export interface SpanDetail {
  readonly statusMessage?: string;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly resource: Attributes;
}

/** Times are microseconds since the Unix epoch: what OTLP's nanoseconds keep of themselves in a JavaScript number. */
export interface StoredSpan {
  /** 32 lowercase hexadecimal digits. */
  readonly traceId: string;
  /** 16 lowercase hexadecimal digits. */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly service: string;
  readonly name: string;
  readonly kind: SpanKindName;
  readonly startUs: number;
  readonly endUs: number;
  readonly status: SpanStatusName;
  readonly detail: SpanDetail;
}
