/** A request as it comes to the gateway, before anybody knows whose it is. */
import type { Context as TraceContext } from "@opentelemetry/api";
import type { Platform } from "./platform.ts";
import type { RequestFields } from "./request-fields.ts";

export interface Arrival {
  request: Request;
  /** The request's. */
  readonly fields: RequestFields;
  readonly requestId: string;
  /** Of the request's URL: not decoded, without query. */
  path: string;
  /** Active in whatever is done for the request. */
  readonly trace: TraceContext;
  readonly platform: Platform;
  /** The template of the route that it took, for its span: "/orders/v1/*". */
  template?: string | undefined;
}
