/** Holds what a local start tells the control plane of the workers. */
import { expect, test } from "vitest";
import * as z from "zod";
import { controlClient } from "./control-client.ts";
import { registerWorkers } from "./register-workers.ts";
import { WORKERS } from "./workers.ts";

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly token: string | null;
  readonly body: unknown;
}

const controlPlane = (answer: () => Response) => {
  const sent: Sent[] = [];
  const ask = async (input: string | URL | Request, init?: RequestInit) => {
    const request = new Request(input, init);
    sent.push({
      method: request.method,
      path: new URL(request.url).pathname,
      token: request.headers.get("authorization"),
      body: await request.json(),
    });
    return answer();
  };
  return { sent, control: controlClient({ url: "http://localhost:8787", token: "skerry_t", fetch: ask }) };
};

test("every service of the table is an instance at its binding, with its version and its line for people", async () => {
  const { sent, control } = controlPlane(() => Response.json({}));
  await registerWorkers(control, WORKERS, {});
  expect(sent.map(({ path }) => path)).toEqual(
    ["catalog", "orders", "inventory", "payments"].map(
      (service) => `/control/v1/registry/${service}/instances/skerry-${service}`,
    ),
  );
  expect(sent[1]).toMatchObject({
    method: "PUT",
    token: "Bearer skerry_t",
    body: {
      binding: "ORDERS",
      version: "1.0.0",
      metadata: { summary: "Takes orders and tells what became of them. Event-sourced." },
    },
  });
});

test("a schema goes before the registrations, as what a document may say: what has a default may be absent", async () => {
  const { sent, control } = controlPlane(() => Response.json({}));
  const schema = z.strictObject({ minutes: z.int().default(15), name: z.string() });
  await registerWorkers(control, WORKERS, { orders: schema });
  expect(sent[0]).toMatchObject({
    method: "PUT",
    path: "/control/v1/schemas/orders",
    body: { schema: { properties: { minutes: { default: 15 } }, required: ["name"] } },
  });
  expect(sent).toHaveLength(5);
});

test("a refusal names the service that could not be registered", async () => {
  const { control } = controlPlane(() =>
    Response.json({ title: "There is no service binding of this name", detail: "CATALOG" }, { status: 422 }),
  );
  await expect(registerWorkers(control, WORKERS, {})).rejects.toThrow(
    'cannot register the service "catalog": There is no service binding of this name: CATALOG',
  );
});
