import { expect, test } from "vitest";
import { configJsonSchema } from "#shared/config/config-json-schema.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import { testDocuments } from "#test/fake/document-store.ts";
import { GATEWAY_CONFIG } from "#workers/gateway/contract.ts";

const SCHEMA = configJsonSchema(GATEWAY_CONFIG);
const route = (more: JsonObject): JsonObject => ({
  routes: { r: { match: { path: "/a/:id" }, to: { service: "s" }, ...more } },
});

const putUnder = async (schema: JsonObject, content: JsonObject) => {
  const documents = testDocuments();
  await documents.methods.declareSchema({ service: "gateway", schema, author: "ci" });
  const written = await documents.put("gateway/default", content);
  return written.ok ? "ok" : [written.error.code, written.error.errors?.[0]?.path];
};

test.each([
  ["a template with a parameter that no pattern has", route({ rewrite: "/b/:other" }), "routes.r.rewrite"],
  ["a pattern that is none", route({ match: { path: "a" } }), "routes.r.match.path"],
  ["weights of 0 only", route({ to: [{ service: "s", weight: 0 }] }), "routes.r.to"],
  ["a canary for nobody", route({ canary: { to: { service: "s" } } }), "routes.r.canary"],
])(
  "of a gateway's configuration %s is refused when it is written, not by its isolates later",
  async (_, content, path) => {
    expect(await putUnder(SCHEMA, content)).toEqual(["config_does_not_fit", path]);
  },
);

test("what the gateway takes is taken, and what a gateway of another version declares is for it to judge", async () => {
  expect(await putUnder(SCHEMA, route({ rewrite: "/b/:id" }))).toBe("ok");
  expect(await putUnder({ type: "object" }, route({ rewrite: "/b/:other" }))).toBe("ok");
});
