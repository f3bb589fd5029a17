import { describe, expect, it } from "vitest";
import { createServiceApp } from "../http/service-app.ts";
import type { Caller } from "../identity/caller.ts";
import { IDENTITY_HEADER } from "../identity/identity-token.ts";
import { ok } from "../result.ts";
import { operatorsOnly } from "./subscription-access.ts";

const ANYTHING = "/things/v1/parked";

/** Answers of a service whose caller the gateway has told, or that asks nobody. */
const answers = async (caller: Caller | undefined, anybody = false) => {
  const verifier = caller && { verify: () => ok(caller) };
  const app = createServiceApp({
    name: "things",
    major: 1,
    description: "",
    problems: {},
    readiness: [],
    identity: { verifier },
  });
  operatorsOnly(app, ["/parked"], { anybody });
  for (const path of ["/parked", "/parked/replays", "/others"]) app.get(path, (c) => c.text("inside"));
  const ask = async (path: string) => {
    const response = await app.request(path, { headers: { [IDENTITY_HEADER]: "token" } });
    return [response.status, await response.text()] as const;
  };
  return {
    parked: await ask(ANYTHING),
    below: await ask(`${ANYTHING}/replays`),
    others: await ask("/things/v1/others"),
  };
};

const by = (scopes: readonly string[], way: Caller["by"] = "api_key"): Caller => ({
  subject: "eve",
  scopes,
  by: way,
});

describe("what is for operators", () => {
  it("takes the scope, on each path and all below, and nothing else of the service does", async () => {
    const { parked, below, others } = await answers(by(["skerry:read"]));
    expect([parked[0], below[0], others[0]]).toEqual([403, 403, 200]);
    expect(JSON.parse(parked[1])).toMatchObject({
      type: "/problems/scope_missing",
      detail: 'Calling GET on "/things/v1/parked" as "eve": expected the scope "skerry:operate".',
    });
    const allowed = await answers(by(["skerry:operate"]));
    expect([allowed.parked[0], allowed.below[0]]).toEqual([200, 200]);
  });

  it("is closed to callers whom the gateway did not ask for credentials", async () => {
    expect((await answers(by([], "none"))).parked[0]).toBe(403);
  });

  it("is closed to a tenant's callers, whatever their scopes: it shows what all tenants have", async () => {
    const { parked, others } = await answers({ ...by(["skerry:operate"]), tenant: "acme" });
    expect([parked[0], others[0]]).toEqual([403, 200]);
    expect(JSON.parse(parked[1]).detail).toContain('for the tenant "acme": expected an operator');
  });

  it("is open where nobody is asked who calls, and where a worker says so", async () => {
    expect((await answers(undefined)).parked[0]).toBe(200);
    expect((await answers(by([], "none"), true)).parked[0]).toBe(200);
  });
});
