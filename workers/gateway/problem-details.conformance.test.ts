/** What RFC 9457 asks of every refusal, and RFC 9110 of the statuses that refusals have: for each code of the table. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PLATFORM_PROBLEMS } from "#shared/http/errors.ts";
import { problemResponse } from "#shared/http/problem.ts";
import { refusal } from "./exchange.ts";
import { REGISTERED_PROBLEMS } from "./problem-registry.ts";

const TABLE = Object.fromEntries(REGISTERED_PROBLEMS.map((problem) => [problem.code, problem]));
const CODES = Object.keys(TABLE);
const MEMBERS = ["type", "title", "status", "detail", "instance", "errors"];

const answerOf = (code: string, extras = {}) =>
  problemResponse({ code, detail: "What was wrong." }, TABLE, extras);

describe.each(CODES)("the problem %s", (code) => {
  test("RFC 9457 §3: a problem is a JSON object of media type application/problem+json", async () => {
    const answer = answerOf(code);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(
      Object.keys((await answer.json()) as object).filter((member) => !MEMBERS.includes(member)),
    ).toEqual([]);
  });

  test("RFC 9457 §3.1.1: type is a URI reference from the root, so that it means the same at any address", async () => {
    const { type } = (await answerOf(code).json()) as { type: string };
    const url = URL.parse(type, "https://shop.example/orders/v1/orders/7?a=b");
    expect(type).toMatch(/^\/problems\/[a-z_]+$/);
    expect(url?.href).toBe(`https://shop.example/problems/${code}`);
  });

  test("RFC 9457 §3.1.2: status is the answer's own", async () => {
    const answer = answerOf(code);
    expect(((await answer.json()) as { status: number }).status).toBe(answer.status);
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });

  test("RFC 9457 §3.1.3: title goes with the type, whatever has happened", async () => {
    const one = (await answerOf(code).json()) as { title: string };
    const other = problemResponse({ code, detail: "Something else." }, TABLE, { instance: "/elsewhere" });
    expect(((await other.json()) as { title: string }).title).toBe(one.title);
    expect(one.title).not.toBe("");
  });
});

describe("a refusal of the gateway", () => {
  const exchange = { path: "/orders/v1/orders/%C3%BC", requestId: "request-1" };

  test("RFC 9457 §3.1.4: detail is the occurrence's own, and survives whatever it quotes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (detail) => {
        expect(await refusal(exchange, "not_found", detail).json()).toMatchObject({ detail });
      }),
    );
  });

  test("RFC 9457 §3.1.5: instance is the request's path: a URI reference", async () => {
    const { instance } = (await refusal(exchange, "not_found", "x").json()) as { instance: string };
    expect(URL.parse(instance, "https://shop.example")?.pathname).toBe(exchange.path);
  });

  test("RFC 9457 §3.2: where the body is at fault an extension names each place", async () => {
    const errors = [{ path: "lines.0.sku", message: "expected a name" }];
    const answer = answerOf("invalid_body", { errors });
    expect(await answer.json()).toMatchObject({ errors });
  });

  test("RFC 9457 §5: a code that no table has tells nothing of the inside", async () => {
    const answer = problemResponse({ code: "toString", detail: "secret" }, PLATFORM_PROBLEMS);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({
      type: "/problems/internal_error",
      title: "Something went wrong on our side",
      status: 500,
      detail: "The request was not completed.",
    });
  });

  test("RFC 9110 §10.2.3: exactly what may succeed later says after how many seconds", () => {
    for (const { code, retryable } of REGISTERED_PROBLEMS) {
      const after = answerOf(code).headers.get("retry-after");
      expect([code, after === null ? null : /^\d+$/.test(after)]).toEqual([code, retryable ? true : null]);
    }
  });

  test("RFC 9111 §5.2.2.5: no refusal is stored", () => {
    for (const code of CODES) expect(answerOf(code).headers.get("cache-control")).toBe("no-store");
  });

  test.each([
    ["credentials_missing", 401],
    ["scope_missing", 403],
    ["not_found", 404],
    ["method_not_allowed", 405],
    ["version_not_offered", 406],
    ["conflict", 409],
    ["version_gone", 410],
    ["body_too_large", 413],
    ["unsupported_media_type", 415],
    ["invalid_body", 422],
    ["upstream_unreachable", 502],
    ["unavailable", 503],
    ["deadline_exceeded", 504],
    ["loop_detected", 508],
  ] as const)("RFC 9110 §15: a refusal has the status that says what it means: %s is %i", (code, status) => {
    expect(refusal(exchange, code, "x").status).toBe(status);
  });
});
