/** Where requests go as the registry changes, and what is said where it leads nowhere. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SpanKind } from "@opentelemetry/api";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Upstream } from "#shared/http/upstream.ts";
import { LIMITS } from "#shared/limits.ts";
import { type Instance, type InstanceState, majorOf } from "#shared/registry/instance.ts";
import { instanceUpstream } from "#shared/registry/instance-upstream.ts";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import { recordSpans } from "#shared/telemetry/record-spans.ts";
import { type FakeLink, fakeLink, instance } from "./fake-link.ts";
import { createPipeline } from "./pipeline.ts";
import { fakePolicies } from "./policy/fake-policies.ts";
import type { WrittenPolicy } from "./policy/policy-schema.ts";
import { registeredServices } from "./registered-services.ts";

let link: FakeLink;
let lasting: Promise<unknown>[];
let headers: Record<string, string>;
let status: number;

/** Answers with its own name. */
const named = (name: string): Upstream => ({ fetch: async () => new Response(name, { status, headers }) });

/** Reaches every instance by a service that answers with the instance's id. */
const byId = ({ id }: Instance): Upstream => named(id);

const gateway = (
  upstreamOf: (instance: Instance) => Upstream | undefined = byId,
  random = seededRandom(1),
  policy: WrittenPolicy = {},
) => {
  const app = createPipeline({
    link,
    services: registeredServices({ link, upstreamOf, random }),
    ...fakePolicies(policy, { random }),
    monitor: named("monitor"),
    control: named("control"),
    minter: { mint: () => "who calls" },
    newRequestId: () => "made-here",
  });
  const waitUntil = (work: Promise<unknown>) => void lasting.push(work);
  const context = { waitUntil, passThroughOnException() {}, props: {} };
  return async (path: string, init?: RequestInit) => {
    const response = await app.fetch(new Request(new URL(path, "http://gateway"), init), context);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
};

beforeEach(() => {
  link = fakeLink();
  lasting = [];
  headers = { "x-request-id": "r" };
  status = 200;
});

describe("a service", () => {
  test("is reachable as soon as it is registered, and no longer when it is not", async () => {
    const ask = gateway();
    expect((await ask("/new/v1/x")).status).toBe(404);
    link.register("new", instance({ id: "first" }));
    expect(await ask("/new/v1/x")).toMatchObject({ status: 200, text: "first" });
    link.register("new");
    expect((await ask("/new/v1/x")).status).toBe(404);
  });

  test("is asked in the version that the path names", async () => {
    for (const version of ["0.3.1", "1.0.0", "1.9.2", "12.0.0"]) {
      link.register("old", instance({ id: version, version }));
      const ask = gateway();
      expect((await ask(`/old/v${majorOf(version)}/x`)).text).toBe(version);
    }
  });

  test("without the version is told which ones there are, in their order", async () => {
    link.register("s", ...["10.0.0", "2.0.0", "2.1.0"].map((version) => instance({ version })));
    for (const version of ["v1", "v02", "2", "v2.0", "V2"]) {
      const refusal = await gateway()(`/s/${version}/x`);
      expect(refusal.status).toBe(404);
      expect(JSON.parse(refusal.text)).toMatchObject({
        type: "/problems/not_found",
        detail: `Looking for version "${version}" of "s": expected one of "v2", "v10".`,
      });
    }
  });

  const unable: Partial<Instance>[] = [
    { state: "starting" },
    { state: "draining" },
    { state: "down" },
    { state: "out_of_service" },
    { weight: 0 },
    { state: "degraded", weight: 0 },
  ];
  test.each(unable)("whose only instance is %o cannot be used for now", async (fields) => {
    link.register("s", instance(fields), instance({ version: "2.0.0" }));
    const refusal = await gateway()("/s/v1/x");
    expect(refusal.status).toBe(503);
    expect(refusal.headers.get("retry-after")).toBe("1");
    expect(refusal.headers.get("x-request-id")).toBe("made-here");
    expect(JSON.parse(refusal.text).type).toBe("/problems/unavailable");
    expect((await gateway()("/s/v2/x")).status).toBe(200);
  });

  test("cannot take an address of the gateway's own", async () => {
    for (const name of ["problems", "monitor", "control"]) link.register(name, instance({ id: "taken" }));
    const ask = gateway();
    expect((await ask("/monitor/v1/x")).text).toBe("monitor");
    expect((await ask("/control/v1/x")).text).toBe("control");
    expect((await ask("/problems/not_found")).text).toContain("There is nothing at this address");
  });

  test("whose instance is at a binding that the gateway does not have is served by the others, if any", async () => {
    const bindings = { HERE: { fetch: async () => new Response("here") } };
    const upstreamOf = (each: Instance) => instanceUpstream(each, { bindings, timeoutMs: () => 1_000 });
    link.register("s", instance({ binding: "ELSEWHERE" }), instance({ binding: "constructor" }));
    const ask = gateway(upstreamOf);
    expect((await ask("/s/v1/x")).status).toBe(503);
    link.register("s", instance({ binding: "ELSEWHERE" }), instance({ binding: "HERE", state: "degraded" }));
    for (let turn = 0; turn < 20; turn++) expect((await ask("/s/v1/x")).text).toBe("here");
  });

  test("gives its instances work by their weights", async () => {
    link.register("s", instance({ id: "a", weight: 1 }), instance({ id: "b", weight: 3 }));
    let turn = 0;
    const ask = gateway(byId, () => (turn++ % 100) / 100, { balance: "weight" });
    const counts: Record<string, number> = { a: 0, b: 0 };
    for (let times = 0; times < 400; times++) {
      const { text } = await ask("/s/v1/x");
      counts[text] = (counts[text] ?? 0) + 1;
    }
    expect(counts).toEqual({ a: 100, b: 300 });
  });
});

describe("before it refuses", () => {
  test.each([
    ["that a service is unknown", [], 404],
    ["that a version is unknown", [instance({ version: "2.0.0" })], 404],
    ["for want of a healthy instance", [instance({ state: "down" })], 503],
  ])("%s, the gateway looks once more", async (_, before, refused) => {
    link.register("s", ...before);
    const ask = gateway();
    expect([(await ask("/s/v1/x")).status, link.looks()]).toEqual([refused, 1]);
    link.registerUnseen("s", instance({ id: "just registered" }));
    expect(await ask("/s/v1/x")).toMatchObject({ status: 200, text: "just registered" });
    expect(link.looks()).toBe(2);
  });

  test("an answer waits for no look", async () => {
    link.register("s", instance({ id: "known" }));
    link.registerUnseen("s", instance({ id: "newer" }));
    expect((await gateway()("/s/v1/x")).text).toBe("known");
    expect(link.looks()).toBe(0);
  });
});

describe("an isolate that has heard of nothing yet", () => {
  test.each(["/s/v1/x", "/openapi.json", "/readyz"])("waits for the registry to answer %s", async (path) => {
    link.register("s", instance());
    link.becomeCold(true);
    expect(await gateway()(path)).toMatchObject({ status: 200 });
  });

  test("does not say that there is no such service when it could not know", async () => {
    link.register("s", instance());
    link.becomeCold(false);
    const refusal = await gateway()("/s/v1/x");
    expect(refusal.status).toBe(503);
    expect(refusal.headers.get("retry-after")).toBe("1");
    expect(refusal.text).toContain("the registry was not reached yet");
  });
});

describe("an answer under a roll-out", () => {
  test("is counted for its arm, a 5xx as a failure", async () => {
    link.register("s", instance());
    const ask = gateway();
    headers["skerry-config"] = "shared/default@7; arm=candidate";
    await ask("/s/v1/x");
    status = 500;
    await ask("/s/v1/x");
    headers["skerry-config"] = "shared/default@7; arm=stable";
    status = 404;
    await ask("/s/v1/x");
    const rollout = "shared/default@7";
    expect(link.counted).toEqual([
      { service: "s", rollout, arm: "candidate", failed: false },
      { service: "s", rollout, arm: "candidate", failed: true },
      { service: "s", rollout, arm: "stable", failed: false },
    ]);
  });

  test.each(["", "r", "r; arm=other", "; arm=stable", `${"r".repeat(129)}; arm=stable`, "r s; arm=stable"])(
    "that is marked by %j is not counted",
    async (mark) => {
      link.register("s", instance());
      headers["skerry-config"] = mark;
      expect((await gateway()("/s/v1/x")).status).toBe(200);
      expect(link.counted).toEqual([]);
    },
  );
});

describe("the control plane", () => {
  test("is behind /control/v1/ whether or not anything is registered, and nowhere else", async () => {
    const ask = gateway();
    for (const path of ["/control/v1/openapi.json", "/control/v1/registry/s/instances/i"]) {
      expect((await ask(path)).text).toBe("control");
    }
    for (const path of ["/control/v2/x", "/internal/changes", "/control/internal/changes"]) {
      expect((await ask(path, { method: "POST" })).status).toBe(404);
    }
  });

  test("is looked at right after a write through this isolate", async () => {
    const ask = gateway();
    headers["skerry-epoch"] = "41";
    await ask("/control/v1/documents/s/default", { method: "PUT" });
    expect([link.epochs, link.looks(), lasting.length]).toEqual([[41], 0, 0]);
    headers = {};
    await ask("/control/v1/documents/s/default", { method: "DELETE" });
    expect([link.epochs, link.looks(), lasting.length]).toEqual([[41], 1, 1]);
  });

  test("is not looked at because of what changed nothing", async () => {
    const ask = gateway();
    await ask("/control/v1/documents/s/default");
    status = 412;
    await ask("/control/v1/documents/s/default", { method: "PUT" });
    expect([link.epochs, link.looks(), lasting.length]).toEqual([[], 0, 0]);
  });
});

describe("an instance at a URL", () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((incoming, outgoing) => {
      outgoing.setHeader("x-request-id", incoming.headers["x-request-id"] ?? "");
      outgoing.end(incoming.url);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const upstreamOf = (each: Instance) => instanceUpstream(each, { bindings: {}, timeoutMs: () => 5_000 });

  test("is asked under its base URL", async () => {
    link.register("s", instance({ url: `${url}/under` }));
    const answer = await gateway(upstreamOf)("/s/v1/x?a=1");
    expect(answer).toMatchObject({ status: 200, text: "/under/s/v1/x?a=1" });
    expect(answer.headers.get("x-request-id")).toBe("made-here");
  });

  test("where nobody listens is a 502, not hidden", async () => {
    link.register("s", instance({ url: "http://127.0.0.1:1" }));
    expect((await gateway(upstreamOf)("/s/v1/x")).status).toBe(502);
  });

  test("that is no URL takes down no other", async () => {
    link.register("s", instance({ url: "not a url" }), instance({ url }));
    for (let turn = 0; turn < 10; turn++) expect((await gateway(upstreamOf)("/s/v1/x")).status).toBe(200);
  });
});

describe("what is listed", () => {
  test("is what is registered, and bounded where people read", async () => {
    const count = LIMITS.homePageServices + 5;
    for (let n = 0; n < count; n++) link.register(`s${`${n}`.padStart(4, "0")}`, instance());
    link.register("gone");
    const ask = gateway();
    expect(JSON.parse((await ask("/openapi.json?list")).text).services).toHaveLength(count);
    const page = await ask("/", { headers: { accept: "text/html" } });
    expect(page.text).toContain("And 5 more");
    expect(page.text.match(/\/v1\/openapi\.json/g)).toHaveLength(LIMITS.homePageServices + 1);
    expect(JSON.parse((await ask("/readyz")).text).checks).toHaveLength(LIMITS.readinessServices + 3);
  });

  test("is safe to show, whatever an instance says of itself", async () => {
    link.register("s", instance({ metadata: { summary: "<script>alert(1)</script>" } }));
    const page = await gateway()("/", { headers: { accept: "text/html" } });
    expect(page.text).toContain("&lt;script&gt;alert(1)");
  });

  test("names each version, the newest one's summary first", async () => {
    link.register(
      "s",
      instance({ version: "1.0.0", metadata: { summary: "old" } }),
      instance({ version: "2.0.0", metadata: { summary: "new" } }),
    );
    expect(JSON.parse((await gateway()("/")).text).services).toEqual([
      { name: "s", summary: "new", paths: ["/s/v1", "/s/v2"] },
    ]);
  });

  test("makes the gateway ready only when something is registered and healthy", async () => {
    const ask = gateway();
    const checks = async () => JSON.parse((await ask("/readyz")).text).checks;
    expect(await checks()).toContainEqual({
      name: "registry",
      ready: false,
      detail: "no service is registered",
    });
    link.register("s", instance({ state: "down" }));
    expect(await checks()).toContainEqual({
      name: "s",
      ready: false,
      detail: "none of its instances is healthy",
    });
    link.register("s", instance(), instance({ version: "2.0.0", state: "starting" }));
    expect((await ask("/readyz")).status).toBe(200);
  });
});

test("a service without a /readyz of its own is ready by the registry's word, the control plane is not", async () => {
  link.register("s", instance());
  status = 404;
  const { checks } = JSON.parse((await gateway()("/readyz")).text);
  const ready = checks.map((check: { name: string; ready: boolean }) => [check.name, check.ready]);
  expect(ready).toEqual([
    ["s", true],
    ["monitor", false],
    ["control", false],
    ["identity", true],
  ]);
});

describe("a span", () => {
  const spans = recordSpans();
  const routeOf = async (path: string) => {
    spans.take();
    await gateway()(path);
    return spans.take().find(({ kind }) => kind === SpanKind.SERVER)?.attributes["http.route"];
  };

  test("has the service's route, which clients cannot make up", async () => {
    link.register("orders", instance());
    expect(await routeOf("/orders/v1/orders/o-1")).toBe("/orders/v1/*");
    expect(await routeOf("/control/v1/tokens/t")).toBe("/control/v1/*");
    expect(await routeOf("/made-up/v1/x")).toBeUndefined();
    expect(await routeOf("/orders/made-up/x")).toBeUndefined();
  });
});

test("whatever changes meanwhile, each answer comes from an instance that is eligible at that moment", async () => {
  const state = fc.constantFrom<InstanceState>(
    "starting",
    "up",
    "degraded",
    "draining",
    "down",
    "out_of_service",
  );
  const instances = fc.array(
    fc.record({ state, weight: fc.integer({ min: 0, max: 3 }), version: fc.constantFrom("1.0.0", "2.4.1") }),
    { maxLength: 5 },
  );
  const service = fc.constantFrom("a", "b");
  const major = fc.constantFrom(1, 2);
  const step = fc.oneof(
    fc.record({ service, instances, unseen: fc.boolean() }),
    fc.record({ service, major }),
    fc.record({ service, major }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      link = fakeLink();
      const ask = gateway();
      for (const each of steps) {
        if ("instances" in each) {
          const register = each.unseen ? link.registerUnseen : link.register;
          register(each.service, ...each.instances.map(instance));
          continue;
        }
        const answer = await ask(`/${each.service}/v${each.major}/x`);
        const all = link.entry(each.service)?.instances ?? [];
        const ofMajor = all.filter(({ version }) => majorOf(version) === each.major);
        const working = ofMajor.filter(({ weight }) => weight > 0);
        const up = working.filter((one) => one.state === "up");
        const eligible = up.length > 0 ? up : working.filter((one) => one.state === "degraded");
        if (eligible.length > 0) expect(eligible.map(({ id }) => id)).toContain(answer.text);
        else expect(answer.status).toBe(ofMajor.length > 0 ? 503 : 404);
      }
    }),
    { numRuns: 300 },
  );
});
