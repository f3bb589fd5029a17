import { describe, expect, it } from "vitest";
import { createServiceApp } from "../http/service-app.ts";
import { err, ok } from "../result.ts";
import type { SubscriptionDetails } from "./process-actor.ts";
import { addSubscriptionRoutes, type SubscriptionMethods } from "./subscription-routes.ts";

const details: SubscriptionDetails = {
  process: "ship",
  source: "orders",
  following: true,
  floor: 7,
  newest: 9,
  behindCommits: 2,
  behindSeconds: 1.5,
  parked: 1,
};

const setUp = (over: Partial<SubscriptionMethods> = {}) => {
  const asked: unknown[] = [];
  const methods: SubscriptionMethods = {
    details: async () => details,
    pause: async () => ({ ...details, paused: "2026-01-01T00:00:00.000Z" }),
    resume: async () => details,
    async replayFrom(from) {
      asked.push(from);
      return ok(details);
    },
    ...over,
  };
  const app = createServiceApp({ name: "things", major: 1, description: "", problems: {}, readiness: [] });
  addSubscriptionRoutes(app, { processors: { named: () => methods }, names: ["ship"] });
  const ask = async (method: string, path: string, body?: object) => {
    const response = await app.request(`/things/v1/subscriptions${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    return { status: response.status, body: await response.json() };
  };
  return { ask, asked };
};

describe("the routes of subscriptions", () => {
  it("show each one with its lag", async () => {
    const { ask } = setUp();
    expect((await ask("GET", "")).body).toEqual({
      items: [
        {
          name: "ship",
          source: "orders",
          floor: 7,
          newest: 9,
          lag: { commits: 2, seconds: 1.5 },
          waiting: 0,
          parked: 1,
          following: true,
        },
      ],
    });
  });

  it("pause and resume", async () => {
    const { ask } = setUp();
    expect(await ask("POST", "/ship/pauses")).toMatchObject({
      status: 200,
      body: { paused: "2026-01-01T00:00:00.000Z" },
    });
    expect((await ask("POST", "/ship/resumes")).body).not.toHaveProperty("paused");
  });

  it("replay from a position or a time, and from nothing else", async () => {
    const { ask, asked } = setUp();
    expect((await ask("POST", "/ship/replays", { from: 5 })).status).toBe(202);
    expect((await ask("POST", "/ship/replays", { from: "2026-01-01T01:00:00+01:00" })).status).toBe(202);
    expect(asked).toEqual([{ position: 5 }, { time: Date.parse("2026-01-01T00:00:00Z") }]);
    for (const from of [0, 1.5, "yesterday", null]) {
      expect((await ask("POST", "/ship/replays", { from })).status).toBe(422);
    }
  });

  it("tell of a log that is away, and of names that there are", async () => {
    const { ask } = setUp({ replayFrom: async () => err({ code: "unavailable", detail: "away" }) });
    expect((await ask("POST", "/ship/replays", { from: 5 })).status).toBe(503);
    expect(await ask("POST", "/shop/pauses")).toMatchObject({
      status: 404,
      body: { detail: 'Looking for the subscription "shop": expected one of ship.' },
    });
  });
});
