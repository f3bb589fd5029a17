import { expect, test } from "vitest";
import { maySendAgain } from "./retry-safety.ts";

const may = (method: string, headers: Record<string, string> = {}, safeMethods?: readonly string[]) =>
  maySendAgain({ method, headers: new Headers(headers) }, safeMethods);

test.each(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])(
  "RFC 9110 §9.2.2: the method %s may be sent again",
  (method) => {
    expect(may(method)).toBe(true);
  },
);

test.each(["POST", "PATCH", "CONNECT", "get", "PURGE", ""])("%j may not", (method) => {
  expect(may(method)).toBe(false);
});

test("a valid Idempotency-Key makes any method safe, an invalid one does not", () => {
  expect(may("POST", { "idempotency-key": '"k-1"' })).toBe(true);
  expect(may("PATCH", { "idempotency-key": "k-1" })).toBe(true);
  expect(may("POST", { "idempotency-key": "" })).toBe(false);
  expect(may("POST", { "idempotency-key": "k 1" })).toBe(false);
});

test("the policy's word makes a method safe", () => {
  expect(may("POST", {}, ["POST"])).toBe(true);
  expect(may("PATCH", {}, ["POST"])).toBe(false);
});
