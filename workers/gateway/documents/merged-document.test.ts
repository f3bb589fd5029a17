import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createServiceApp } from "#shared/http/service-app.ts";
import { CATALOG, CATALOG_PROBLEMS } from "#workers/catalog/contract.ts";
import { addCatalogRoutes } from "#workers/catalog/routes.ts";
import { ORDERS, ORDERS_PROBLEMS } from "#workers/orders/contract.ts";
import { addOrderRoutes } from "#workers/orders/routes.ts";
import { pointerParts, valueAt } from "./json-pointer.ts";
import { mergedDocument } from "./merged-document.ts";
import { modernDocument } from "./modern-document.ts";
import { type JsonObject, readDocument, type ServiceDocument } from "./service-document.ts";

type Json = Record<string, never>;

const documentOf = (service: string, fields: object, major = 1): ServiceDocument => {
  const text = JSON.stringify({ openapi: "3.1.0", info: { title: service, version: "1" }, ...fields });
  const read = readDocument(text);
  if (!read.ok) throw new Error(read.error);
  return { service, major, document: modernDocument(read.value), characters: text.length, digest: text };
};

const merge = (...documents: ServiceDocument[]) =>
  JSON.parse(
    JSON.stringify(mergedDocument({ origin: "https://shop.example", documents, missing: [], listed: [] })),
  );

/** Every reference of a document, wherever it stands. */
const referencesIn = (value: unknown): string[] =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) =>
        key === "$ref" && typeof inner === "string" ? [inner] : referencesIn(inner),
      );

const expectWhole = (document: JsonObject) => {
  for (const reference of referencesIn(document)) {
    expect([reference, valueAt(document, pointerParts(reference) ?? ["-"])]).not.toEqual([
      reference,
      undefined,
    ]);
  }
};

const operation = (fields: object = {}) => ({ responses: { 200: { description: "ok" } }, ...fields });

describe("the merged document", () => {
  test("has the real documents of services in one, with no reference that leads nowhere", async () => {
    const shells = [
      { ...ORDERS, problems: ORDERS_PROBLEMS, add: addOrderRoutes },
      { ...CATALOG, problems: CATALOG_PROBLEMS, add: addCatalogRoutes },
    ];
    const documents: ServiceDocument[] = [];
    for (const { service, major, problems, add } of shells) {
      const app = createServiceApp({ name: service, major, description: "About", problems, readiness: [] });
      (add as (...args: unknown[]) => void)(app, {});
      const document = await (await app.request(`/${service}/v${major}/openapi.json`)).json();
      documents.push(documentOf(service, document as object));
    }
    const merged = merge(...documents);
    expect(merged.servers).toEqual([{ url: "https://shop.example" }]);
    expect(Object.keys(merged.paths)).toEqual(
      expect.arrayContaining(["/orders/v1/orders", "/orders/v1/orders/{orderId}", "/catalog/v1/products"]),
    );
    expect(merged.paths["/orders/v1/orders"].post.tags).toEqual(["orders.v1"]);
    const schemas = Object.keys(merged.components.schemas);
    expect(schemas).toContain("orders.v1.Order");
    expect(schemas.filter((name) => name.endsWith("Problem"))).toEqual(["Problem"]);
    expect(referencesIn(merged).length).toBeGreaterThan(20);
    expectWhole(merged);
  });

  test("keeps components of the same name apart, and two majors of one service", () => {
    const own = (type: string) => ({
      paths: {},
      components: { schemas: { Thing: { type }, Box: { items: { $ref: "#/components/schemas/Thing" } } } },
    });
    const merged = merge(
      documentOf("a", own("string")),
      documentOf("b", own("number")),
      documentOf("b", own("boolean"), 2),
    );
    expect(merged.components.schemas["a.v1.Thing"]).toEqual({ type: "string" });
    expect(merged.components.schemas["b.v2.Thing"]).toEqual({ type: "boolean" });
    expect(merged.components.schemas["b.v1.Box"].items.$ref).toBe("#/components/schemas/b.v1.Thing");
  });

  test("keeps a problem schema that differs from the others' apart", () => {
    const own = (type: string) => ({ paths: {}, components: { schemas: { Problem: { type } } } });
    const merged = merge(
      documentOf("a", own("string")),
      documentOf("b", own("object")),
      documentOf("c", own("object")),
    );
    expect(merged.components.schemas).toEqual({
      "a.v1.Problem": { type: "string" },
      Problem: { type: "object" },
    });
  });

  test("follows references of every form", () => {
    const merged = merge(
      documentOf("a", {
        paths: {
          "/a/v1/x/{id}": {
            get: operation({ parameters: [{ $ref: "#/components/parameters/P~1Q%20R" }] }),
          },
          "/a/v1/y": { $ref: "#/paths/~1a~1v1~1x~1{id}" },
        },
        components: {
          parameters: { "P/Q R": { name: "p", in: "query", schema: { type: "string" } } },
          schemas: {
            Deep: { properties: { inner: { type: "string" } } },
            Field: { $ref: "#/components/schemas/Deep/properties/inner" },
          },
        },
      }),
    );
    expect(merged.paths["/a/v1/x/{id}"].get.parameters[0].$ref).toBe("#/components/parameters/a.v1.P_Q_R");
    expect(merged.components.schemas["a.v1.Field"].$ref).toBe(
      "#/components/schemas/a.v1.Deep/properties/inner",
    );
    expectWhole(merged);
  });

  test("follows discriminators by name and by reference", () => {
    const schemas = {
      Pet: {
        discriminator: {
          propertyName: "kind",
          mapping: {
            dog: "Dog",
            cat: "#/components/schemas/Cat",
            far: "https://elsewhere.example/pets.json#/Fox",
          },
        },
      },
      Dog: {},
      Cat: {},
    };
    const merged = merge(documentOf("a", { paths: {}, components: { schemas } }));
    expect(merged.components.schemas["a.v1.Pet"].discriminator).toEqual({
      propertyName: "kind",
      mapping: { dog: "#/components/schemas/a.v1.Dog", cat: "#/components/schemas/a.v1.Cat" },
    });
  });

  test("prefixes operations, tags, links and security schemes, in callbacks and webhooks too", () => {
    const merged = merge(
      documentOf("a", {
        security: [{ key: [] }],
        tags: [{ name: "billing", description: "Bills" }],
        paths: {
          "/a/v1/x": {
            post: operation({
              operationId: "make",
              tags: ["billing"],
              callbacks: { done: { "{$request.body#/url}": { post: operation({ operationId: "told" }) } } },
              responses: { 201: { description: "made", links: { next: { operationId: "make" } } } },
            }),
            get: operation({ security: [] }),
          },
        },
        webhooks: { moved: { post: operation({ operationId: "hook" }) } },
        components: { securitySchemes: { key: { type: "apiKey", in: "header", name: "x-key" } } },
      }),
    );
    const { post, get } = merged.paths["/a/v1/x"];
    expect(post).toMatchObject({ operationId: "a.v1.make", tags: ["a.v1.billing"] });
    expect(post.security).toEqual([{ "a.v1.key": [] }]);
    expect(get.security).toEqual([]);
    expect(post.callbacks.done["{$request.body#/url}"].post.operationId).toBe("a.v1.told");
    expect(post.responses[201].links.next.operationId).toBe("a.v1.make");
    expect(merged.webhooks["a.v1.moved"].post.operationId).toBe("a.v1.hook");
    expect(merged.tags).toContainEqual({ name: "a.v1.billing", description: "Bills" });
    expect(merged.components.securitySchemes).toHaveProperty(["a.v1.key"]);
  });

  test("leaves data alone, and fields that are called like words of the grammar", () => {
    const example = { $ref: "#/components/schemas/Thing", operationId: "x" };
    const schemas = {
      Thing: {
        properties: {
          example: { $ref: "#/components/schemas/Other" },
          examples: { type: "array" },
          operationId: { type: "string" },
          $ref: { type: "string" },
        },
        example,
        default: example,
        examples: [example],
      },
      Other: {},
    };
    const thing = merge(documentOf("a", { paths: {}, components: { schemas } })).components.schemas[
      "a.v1.Thing"
    ];
    expect([thing.example, thing.default, thing.examples]).toEqual([example, example, [example]]);
    expect(thing.properties).toEqual({
      example: { $ref: "#/components/schemas/a.v1.Other" },
      examples: { type: "array" },
      operationId: { type: "string" },
      $ref: { type: "string" },
    });
  });

  test("refers to nothing outside of itself", () => {
    const merged = merge(
      documentOf("a", {
        paths: { "/a/v1/x": { get: operation(), servers: [{ url: "https://elsewhere.example" }] } },
        components: {
          schemas: {
            Far: { $ref: "https://elsewhere.example/schema.json" },
            Gone: { $ref: "#/components/schemas/Nothing" },
          },
        },
      }),
    );
    expect(referencesIn(merged)).toEqual([]);
    expect(merged.components.schemas["a.v1.Gone"]).toEqual({
      "x-skerry-unresolved": "#/components/schemas/Nothing",
    });
    expect(merged.paths["/a/v1/x"].servers).toBeUndefined();
  });

  test.each([
    ["stand as clients call them", undefined, ["/a/v1/x", "/a/v1"], ["/a/v1/x", "/a/v1"]],
    ["stand below the server's path", "https://a.example/a/v1/", ["/x"], ["/a/v1/x"]],
    ["stand below nothing", undefined, ["/x"], ["/a/v1/x"]],
    ["are partly out of the gateway's reach", undefined, ["/a/v1/x", "/admin"], ["/a/v1/x"]],
    ["belong to another service", undefined, ["/a/v1/x", "/b/v1/x"], ["/a/v1/x"]],
  ])("shows paths that %s as the gateway's clients call them", (_how, url, written, shown) => {
    const paths = Object.fromEntries(written.map((path) => [path, { get: operation() }]));
    const merged = merge(documentOf("a", { paths, ...(url && { servers: [{ url }] }) }));
    expect(Object.keys(merged.paths)).toEqual(shown);
  });

  test("tells a document of OpenAPI 3.0 in the words of 3.1", () => {
    const schemas = {
      A: { type: "string", nullable: true, enum: ["x"] },
      B: { type: "number", minimum: 1, exclusiveMinimum: true },
      C: { properties: { nullable: { type: "boolean" } } },
    };
    const merged = merge(documentOf("a", { openapi: "3.0.3", paths: {}, components: { schemas } }));
    expect(merged.components.schemas).toEqual({
      "a.v1.A": { type: ["string", "null"], enum: ["x", null] },
      "a.v1.B": { type: "number", exclusiveMinimum: 1 },
      "a.v1.C": schemas.C,
    });
  });

  test("survives whatever a service says, and the other services are all there", () => {
    const word = fc.constantFrom(
      "paths",
      "/a/v1/x",
      "/x",
      "get",
      "post",
      "parameters",
      "components",
      "schemas",
      "$ref",
      "#/components/schemas/A",
      "#/paths/~1x",
      "#/%zz",
      "discriminator",
      "mapping",
      "callbacks",
      "links",
      "examples",
      "security",
      "servers",
      "url",
      "http://[",
      "tags",
      "name",
      "operationId",
      "webhooks",
      "__proto__",
      "constructor",
      "A",
      "\ud800",
      "nullable",
      "type",
      "enum",
      "Problem",
    );
    const anything = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 7 },
        word,
        fc.constantFrom<unknown>(null, true, 1),
        fc.dictionary(word, tie("any"), { maxKeys: 5 }),
        fc.array(tie("any"), { maxLength: 3 }),
      ),
    })).any;
    const good = documentOf("z", { paths: { "/z/v1/x": { get: operation({ operationId: "look" }) } } });
    fc.assert(
      fc.property(
        fc.record(
          { paths: anything, components: anything, webhooks: anything, tags: anything, security: anything },
          { requiredKeys: [] },
        ),
        fc.dictionary(word, anything, { maxKeys: 4 }),
        fc.constantFrom("3.1.0", "3.0.0"),
        (fields, schemas, openapi) => {
          const bad = documentOf("a", { ...fields, openapi, components: fields.components ?? { schemas } });
          const merged = merge(bad, good);
          expect(merged.paths["/z/v1/x"].get.operationId).toBe("z.v1.look");
          for (const path of Object.keys(merged.paths)) expect(path).toMatch(/^\/[az]\/v1(?:\/|$)/);
          for (const names of Object.values(merged.components as Json))
            for (const name of Object.keys(names)) expect(name).toMatch(/^(?:[az]\.v1\.[\w.-]*|Problem)$/);
        },
      ),
      { numRuns: 1_500 },
    );
  });
});

describe("what a service sends", () => {
  test.each([
    ["", "it is not JSON"],
    ["[]", "it is no object"],
    ['{"swagger":"2.0"}', "it is no OpenAPI document"],
    ['{"openapi":"4.0.0"}', "it is no OpenAPI document"],
    [`{"openapi":"3.1.0","x":${"[".repeat(150)}${"]".repeat(150)}}`, "expected at most 100 levels"],
    [
      JSON.stringify({ openapi: "3.1.0", x: Array.from({ length: 200_001 }, () => 0) }),
      "expected at most 100 levels and 200000 values",
    ],
  ])("is refused when it is no document (case %#)", (text, reason) => {
    const read = readDocument(text);
    expect(read.ok ? "read" : read.error).toContain(reason);
  });
});
