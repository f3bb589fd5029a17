import { describe, expect, it } from "vitest";
import { OPERATE_SCOPE, operatorsOnly } from "../cqrs/subscription-access.ts";
import { createServiceApp } from "../http/service-app.ts";
import type { Caller } from "../identity/caller.ts";
import { IDENTITY_HEADER } from "../identity/identity-token.ts";
import { ok } from "../result.ts";
import { addForgottenRoute } from "./forgotten-route.ts";

const setUp = (scopes?: readonly string[]) => {
  const forgotten: string[] = [];
  const caller: Caller = { subject: "olga", scopes: scopes ?? [], by: "api_key" };
  const app = createServiceApp({
    name: "orders",
    major: 1,
    description: "",
    problems: {},
    readiness: [],
    ...(scopes && { identity: { verifier: { verify: async () => ok(caller) } } }),
  });
  operatorsOnly(app, ["/forgotten"], { anybody: false });
  addForgottenRoute(app, {
    service: "orders",
    forgetting: () => ({
      keys: { forget: async (subject) => void forgotten.push(subject) },
      commands: { execute: async () => ok({ position: 7, events: [], duplicate: false }) },
    }),
  });
  const ask = (subject: unknown) =>
    app.request("/orders/v1/forgotten", {
      method: "POST",
      headers: { "content-type": "application/json", [IDENTITY_HEADER]: "token" },
      body: JSON.stringify({ subject }),
    });
  return { ask, forgotten };
};

describe("POST /forgotten", () => {
  it.each([
    ["with the scope", [OPERATE_SCOPE], 200],
    ["with others", ["orders:write", "skerry"], 403],
    ["that nobody knows", [], 403],
  ])("from a caller %s", async (_, scopes, status) => {
    const { ask, forgotten } = setUp(scopes);
    const answer = await ask("ada");
    expect(answer.status).toBe(status);
    expect(forgotten).toEqual(status === 200 ? ["ada"] : []);
    if (status !== 200) expect(await answer.json()).toMatchObject({ type: "/problems/scope_missing" });
  });

  it("answers with the position by which a query waits for the read model", async () => {
    const { ask } = setUp();
    const answer = await ask("ada");
    expect(answer.headers.get("skerry-position")).toBe("orders=7");
    expect(await answer.json()).toEqual({ subject: "ada", position: 7 });
  });

  it("refuses what names nobody", async () => {
    const { ask, forgotten } = setUp();
    for (const subject of ["", "a.b", "a b", 1, undefined, "x".repeat(65)])
      expect((await ask(subject)).status).toBe(422);
    expect(forgotten).toEqual([]);
  });
});
