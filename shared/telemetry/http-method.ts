/** How the HTTP conventions name a request's method: clients choose it, so unknown ones must not become span names. */
import type { Attributes } from "@opentelemetry/api";

const KNOWN = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "QUERY",
  "CONNECT",
  "TRACE",
]);

/** The method's place in a span name and its attributes. */
export const httpMethod = (method: string): { name: string; attributes: Attributes } =>
  KNOWN.has(method)
    ? { name: method, attributes: { "http.request.method": method } }
    : {
        name: "HTTP",
        attributes: { "http.request.method": "_OTHER", "http.request.method_original": method },
      };
