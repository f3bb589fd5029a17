import { describe, expect, test } from "vitest";
import * as z from "zod";
import { LIMITS } from "../limits.ts";
import { messagesOf, request, topic } from "./message-types.ts";

const data = z.object({});
const asking = { request: data, answer: data, timeoutMs: 100 };

describe("a declared message", () => {
  test("has the address of its service, name and major version", () => {
    const { changed, quote } = messagesOf("catalog", {
      changed: topic("prices.changed", data),
      quote: request("quote", { ...asking, version: "2.3" }),
    });
    expect(changed).toMatchObject({ service: "catalog", address: "catalog.prices.changed.v1" });
    expect(quote.address).toBe("catalog.quote.v2");
  });

  test.each(["", "Prices", "a..b", "a.", "*", "a.>", "a b", "x".repeat(101)])(
    "cannot have the name %j, which would be another subject or several",
    (name) => {
      expect(() => messagesOf("catalog", { it: topic(name, data) })).toThrow("Cannot declare the topic");
    },
  );

  test.each(["1", "0.1", "1.x", "v1.0", "1.0.0"])("cannot have the version %j", (version) => {
    expect(() => messagesOf("catalog", { it: topic("it", data, { version }) })).toThrow("in version");
  });

  test.each([0, -1, Number.NaN, LIMITS.messageRequestMs + 1])("cannot wait for %d ms", (timeoutMs) => {
    expect(() => messagesOf("catalog", { it: request("it", { ...asking, timeoutMs }) })).toThrow("timeoutMs");
  });

  test("cannot share its address with another, whatever their minor versions", () => {
    const twice = { a: topic("it", data), b: topic("it", data, { version: "1.1" }) };
    expect(() => messagesOf("catalog", twice)).toThrow('"catalog.it.v1" is another');
  });
});
