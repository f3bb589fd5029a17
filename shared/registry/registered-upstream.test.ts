import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import type { Instance, ServiceEntry } from "./instance.ts";
import { serviceBindings } from "./instance-upstream.ts";
import { registeredUpstream } from "./registered-upstream.ts";

const instance = (fields: Partial<Instance>): Instance => ({
  id: "i",
  version: "1.0.0",
  state: "up",
  weight: 1,
  metadata: {},
  ...fields,
});

let known: ServiceEntry | undefined;
const register = (...instances: Instance[]) => {
  known = { service: "catalog", epoch: 1, instances };
};

const upstream = (bindings: Record<string, { fetch: () => Promise<Response> }> = {}) =>
  registeredUpstream({
    service: "catalog",
    major: 1,
    entry: (service) => (service === "catalog" ? known : undefined),
    bindings,
    random: () => 0,
  });

const ask = (to: ReturnType<typeof upstream>) => to.fetch(new Request("http://catalog/catalog/v1/x?a=1"));

test("an instance is called over the caller's own binding, else at its URL", async () => {
  const server = createServer((incoming, outgoing) => outgoing.end(`url ${incoming.url}`));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    register(instance({ binding: "CATALOG", url }));
    const own = { CATALOG: { fetch: async () => new Response("binding") } };
    expect(await (await ask(upstream(own))).text()).toBe("binding");
    expect(await (await ask(upstream())).text()).toBe("url /catalog/v1/x?a=1");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("a service that is not registered is told from one that has nobody healthy", async () => {
  known = undefined;
  await expect(ask(upstream())).rejects.toMatchObject({ name: "ServiceNotRegistered" });
  register(instance({ version: "2.0.0" }));
  await expect(ask(upstream())).rejects.toThrow('Calling "catalog" v1: expected one of "v2"');
  register(instance({ binding: "CATALOG", state: "down" }));
  await expect(ask(upstream())).rejects.toMatchObject({ name: "NoHealthyInstance" });
  register(instance({ binding: "NOT_OURS" }));
  await expect(ask(upstream())).rejects.toMatchObject({ name: "NoHealthyInstance" });
});

test("while nothing is known of the service, a binding of the caller's own is called where it has one", async () => {
  known = undefined;
  const to = registeredUpstream({
    service: "catalog",
    major: 1,
    entry: () => known,
    bindings: {},
    random: () => 0,
    unknown: { fetch: async () => new Response("own binding") },
  });
  expect(await (await ask(to)).text()).toBe("own binding");
  register(instance({ binding: "CATALOG", state: "down" }));
  await expect(ask(to)).rejects.toMatchObject({ name: "NoHealthyInstance" });
});

test("a change of the registry counts for the next request", async () => {
  const own = {
    ONE: { fetch: async () => new Response("one") },
    TWO: { fetch: async () => new Response("two") },
  };
  const to = upstream(own);
  register(instance({ binding: "ONE" }));
  expect(await (await ask(to)).text()).toBe("one");
  register(instance({ binding: "ONE", state: "draining" }), instance({ binding: "TWO" }));
  expect(await (await ask(to)).text()).toBe("two");
});

test("of a worker's env only what can fetch is a binding", () => {
  const fetcher = { fetch: async () => new Response() };
  expect(serviceBindings({ CATALOG: fetcher, NATS_URL: "nats://x", KV: { get() {} }, NONE: null })).toEqual({
    CATALOG: fetcher,
  });
});
