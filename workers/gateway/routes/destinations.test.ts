import { describe, expect, test } from "vitest";
import { chooseDestination } from "./destinations.ts";
import type { WrittenRoute } from "./route-schema.ts";
import { compileRoutes } from "./route-table.ts";

const compiled = (route: Omit<WrittenRoute, "match">, name = "checkout") => {
  const question = { method: "GET", path: "/", url: "https://shop.example/", headers: new Headers() };
  const only = compileRoutes({ [name]: { match: {}, ...route } }, () => 0).find(question)?.route;
  if (!only) throw new Error("no route");
  return only;
};
const asked = (headers: Record<string, string> = {}, clientAddress?: string) => ({
  request: { headers: new Headers(headers) },
  ...(clientAddress === undefined ? {} : { clientAddress }),
});
const never = (): never => {
  throw new Error("drawn");
};

describe("of several destinations", () => {
  test("each is chosen as often as its weight says", () => {
    const route = compiled({
      to: [
        { service: "a" },
        { service: "b", major: 2, weight: 3 },
        { url: "https://c.example/x/", weight: 0 },
      ],
    });
    const chosen = Array.from({ length: 100 }, (_, i) => chooseDestination(route, asked(), () => i / 100));
    expect(chosen.filter((each) => each === route.destinations[0])).toHaveLength(25);
    expect(chosen.filter((each) => each === route.destinations[1])).toHaveLength(75);
    expect(route.destinations).toEqual([
      { kind: "service", service: "a", major: undefined },
      { kind: "service", service: "b", major: 2 },
      { kind: "url", url: "https://c.example/x" },
    ]);
  });

  test("the only one is not drawn", () => {
    const route = compiled({ to: { service: "a" } });
    expect(chooseDestination(route, asked(), never)).toBe(route.destinations[0]);
  });
});

describe("a canary", () => {
  const to = { service: "a", major: 1 };
  const canary = { to: { service: "a", major: 2 } };
  const isCanary = (
    route: ReturnType<typeof compiled>,
    who: ReturnType<typeof asked>,
    random: () => number = never,
  ) => chooseDestination(route, who, random) === route.canary?.to;

  test("gets its percentage of the requests at random", () => {
    const route = compiled({ to, canary: { ...canary, percentage: 12.5 } });
    const hits = Array.from({ length: 1_000 }, (_, i) => isCanary(route, asked(), () => i / 1_000));
    expect(hits.filter(Boolean)).toHaveLength(125);
  });

  test("gets who carries its header, and nobody else when there is no percentage", () => {
    const route = compiled({ to, canary: { ...canary, header: { name: "X-Canary", value: "yes" } } });
    expect(isCanary(route, asked({ "x-canary": "yes" }))).toBe(true);
    expect(isCanary(route, asked({ "x-canary": "no" }))).toBe(false);
    expect(isCanary(route, asked())).toBe(false);
  });

  test.each([
    ["a header", { header: "X-User" }, (key: string) => asked({ "x-user": key })],
    ["a cookie", { cookie: "sid" }, (key: string) => asked({ cookie: `a=b; sid=${key}` })],
    ["the client's address", "client", (key: string) => asked({}, key)],
  ] as const)("keeps each key of %s on one side, and at larger percentages in", (_, key, who) => {
    const at = (percentage: number) => compiled({ to, canary: { ...canary, percentage, key } });
    const keys = Array.from({ length: 2_000 }, (_, index) => `user-${index}`);
    const members = (percentage: number) => keys.filter((each) => isCanary(at(percentage), who(each)));
    const tenth = members(10);
    expect(tenth.length).toBeGreaterThan(150);
    expect(tenth.length).toBeLessThan(250);
    expect(members(10)).toEqual(tenth);
    expect(members(30)).toEqual(expect.arrayContaining(tenth));
    expect(members(100)).toEqual(keys);
  });

  test("of one route takes other keys than another's", () => {
    const canaryByKey = { to, canary: { ...canary, percentage: 50, key: { header: "u" } } };
    const [one, other] = [compiled(canaryByKey, "one"), compiled(canaryByKey, "other")];
    const both = Array.from({ length: 1_000 }, (_, i) => asked({ u: `${i}` })).filter(
      (who) => isCanary(one, who) && isCanary(other, who),
    );
    expect(Math.abs(both.length - 250)).toBeLessThan(60);
  });

  test("is drawn for whoever has no key", () => {
    const route = compiled({ to, canary: { ...canary, percentage: 50, key: "client" } });
    expect([0.4, 0.6].map((point) => isCanary(route, asked(), () => point))).toEqual([true, false]);
  });
});
