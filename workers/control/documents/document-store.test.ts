import { describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { ok } from "#shared/result.ts";
import { documentName, oneStep, testDocuments } from "#test/fake/document-store.ts";

const TTL_SCHEMA = {
  type: "object",
  properties: { ttl: { type: "integer", minimum: 1 }, name: { type: "string" } },
  additionalProperties: false,
};
const declare = (documents: ReturnType<typeof testDocuments>, service: string, schema: object = TTL_SCHEMA) =>
  documents.methods.declareSchema({ service, schema: schema as never, author: "ci" });
const codeOf = (result: { ok: boolean; error?: { code: string } }) => (result.ok ? "ok" : result.error?.code);

describe("writing a document", () => {
  test("of two writers at the same revision one is refused, and the other's content stands", async () => {
    const documents = testDocuments();
    await documents.put("orders/default", { ttl: 0 });
    const results = await Promise.all([
      documents.put("orders/default", { ttl: 1 }, { ifMatch: 1 }),
      documents.put("orders/default", { ttl: 2 }, { ifMatch: 1 }),
    ]);
    expect(results.map(codeOf)).toEqual(["ok", "document_changed"]);
    expect(await documents.contentOf("orders/default")).toEqual({ ttl: 1 });
  });

  test("needs the revision when the document exists, and a document when a revision is named", async () => {
    const documents = testDocuments();
    expect(codeOf(await documents.put("a/default", {}, { ifMatch: "*" }))).toBe("document_changed");
    expect(codeOf(await documents.put("a/default", {}, { ifMatch: 1 }))).toBe("document_changed");
    expect(codeOf(await documents.put("a/default", {}, { ifNoneMatch: "*" }))).toBe("ok");
    expect(codeOf(await documents.put("a/default", {}, { ifNoneMatch: "*" }))).toBe("document_changed");
    expect(codeOf(await documents.put("a/default", {}))).toBe("precondition_required");
    expect(codeOf(await documents.put("a/default", {}, { ifMatch: "*" }))).toBe("ok");
  });

  test("that throws half-way leaves nothing of itself, and the next one goes through", async () => {
    const documents = testDocuments();
    await documents.put("orders/default", { ttl: 1 });
    const before = documents.dump();
    documents.faulty.failsAt = /INSERT OR REPLACE INTO documents/;
    await expect(documents.put("orders/default", { ttl: 2 }, { ifMatch: 1 })).rejects.toThrow("disk");
    expect(documents.dump()).toBe(before);
    documents.faulty.failsAt = undefined;
    const written = await documents.put("orders/default", { ttl: 3 }, { ifMatch: 1 });
    expect(written).toMatchObject({ ok: true, value: { revision: { revision: 2 } } });
  });

  test("is checked with what others write at the same time: what fits alone and not together is refused", async () => {
    const documents = testDocuments();
    await declare(documents, "orders", { ...TTL_SCHEMA, not: { required: ["ttl", "name"] } });
    const results = await Promise.all([
      documents.put("orders/default", { ttl: 2 }),
      documents.put("shared/default", { name: "x" }),
    ]);
    expect(results.map(codeOf)).toEqual(["ok", "config_does_not_fit"]);
    expect(documents.effectiveOf("orders", "default").stable.value).toEqual({ ttl: 2 });
  });

  test("holds while a roll-out ends between its check and its change", async () => {
    const documents = testDocuments();
    await declare(documents, "orders", { ...TTL_SCHEMA, not: { required: ["ttl", "name"] } });
    await documents.put("shared/default", { name: "x" }, { rollout: oneStep });
    documents.faulty.beforeChange = () => {
      documents.faulty.beforeChange = undefined;
      void documents.ledger.change((epoch) =>
        ok(documents.candidates.promote(documentName("shared/default"), { author: "x", reason: "" }, epoch)),
      );
    };
    expect(codeOf(await documents.put("orders/default", { ttl: 2 }))).toBe("config_does_not_fit");
    expect(codeOf(await documents.put("orders/production", {}))).toBe("ok");
    expect(documents.effectiveOf("orders", "production").stable.value).toEqual({ name: "x" });
  });

  test("raises the epoch of every configuration that it is merged into, and of no other", async () => {
    const documents = testDocuments();
    await documents.put("orders/production", { ttl: 1 });
    const epoch = documents.effectiveEpochOf("orders", "production");
    expect(epoch).toBe(documents.ledger.epoch());
    expect(documents.effectiveEpochOf("orders", "default")).toBe(0);
    await documents.put("shared/production", { name: "x" });
    expect(documents.effectiveOf("orders", "production").epoch).toBe(documents.ledger.epoch());
    expect(documents.effectiveEpochOf("orders", "default")).toBe(0);
    await documents.methods.removeDocument({
      ...documentName("orders/production"),
      author: "ann",
      reason: "",
      ifMatch: "*",
    });
    expect(documents.effectiveEpochOf("orders", "production")).toBe(documents.ledger.epoch());
  });
});

describe("the check at writing", () => {
  test("refuses a shared document that spoils another service, and names where", async () => {
    const documents = testDocuments();
    await declare(documents, "orders");
    await documents.put("orders/production", { name: "o" });
    const refused = await documents.put("shared/default", { ttl: "soon" });
    expect(refused).toMatchObject({ ok: false, error: { code: "config_does_not_fit" } });
    const paths = refused.ok ? [] : refused.error.errors?.map(({ path }) => path);
    expect(paths).toEqual(["orders/default#ttl", "orders/production#ttl"]);
    expect(await documents.contentOf("shared/default")).toBeUndefined();
    expect(codeOf(await documents.put("shared/default", { ttl: 3, unknown: true }))).toBe("ok");
    expect(documents.effectiveOf("orders", "production").stable.value).toEqual({ ttl: 3, name: "o" });
    expect(documents.effectiveOf("other", "production").stable.value).toEqual({ ttl: 3, unknown: true });
  });

  test("names the path alone when one configuration is touched", async () => {
    const documents = testDocuments();
    await declare(documents, "orders");
    const refused = await documents.put("orders/production", { ttl: 0, extra: 1 });
    const paths = refused.ok ? [] : refused.error.errors?.map(({ path }) => path).sort();
    expect(paths).toEqual(["extra", "ttl"]);
  });

  test("refuses flags that do not fit, alone or once they are merged", async () => {
    const documents = testDocuments();
    expect(codeOf(await documents.put("shared/default", { flags: { UPPER: {} } }))).toBe(
      "config_does_not_fit",
    );
    expect(codeOf(await documents.put("shared/default", { flags: [] }))).toBe("config_does_not_fit");
    expect(
      codeOf(await documents.put("shared/default", { flags: { f: { serve: { on: 50, off: 50 } } } })),
    ).toBe("ok");
    expect(codeOf(await documents.put("a/default", { flags: { f: { serve: { on: 100 } } } }))).toBe(
      "config_does_not_fit",
    );
    expect(documents.effectiveOf("a", "default").stable.flags).toMatchObject({ f: { enabled: true } });
  });

  test("does not let what was spoilt by a new schema hold up edits elsewhere, or its own repair", async () => {
    const documents = testDocuments();
    await documents.put("orders/default", { ttl: "old" });
    await documents.put("orders/production", { name: 7 });
    const declared = await declare(documents, "orders");
    const paths = declared.ok ? declared.value.faults.map(({ path }) => path).sort() : [];
    expect(paths).toEqual(["orders/default#ttl", "orders/production#name", "orders/production#ttl"]);
    expect(codeOf(await documents.put("shared/default", { name: "s" }))).toBe("ok");
    expect(codeOf(await documents.put("orders/default", { ttl: "x" }, { ifMatch: 1 }))).toBe(
      "config_does_not_fit",
    );
    expect(codeOf(await documents.put("orders/default", { ttl: 1 }, { ifMatch: 1 }))).toBe("ok");
    expect(codeOf(await documents.put("orders/production", { name: "p" }, { ifMatch: 1 }))).toBe("ok");
    const again = await declare(documents, "orders");
    expect(again.ok && again.value.faults).toEqual([]);
  });

  test("refuses names that JavaScript may mistake", async () => {
    const documents = testDocuments();
    const evil = JSON.parse('{"a": {"__proto__": {"polluted": 1}}}');
    expect(codeOf(await documents.put("a/default", evil))).toBe("config_does_not_fit");
    expect(codeOf(await documents.put("a/default", { constructor: { prototype: 1 } }))).toBe("ok");
  });

  test("refuses schemas that are none, that are too large, and those of shared", async () => {
    const documents = testDocuments();
    const large = { type: "object", description: "x".repeat(LIMITS.configSchemaBytes) };
    for (const [service, schema] of [
      ["orders", { type: "nonsense" }],
      ["orders", large],
      ["shared", TTL_SCHEMA],
    ] as const) {
      expect(codeOf(await declare(documents, service, schema))).toBe("schema_not_valid");
    }
    expect(codeOf(await documents.methods.readSchema({ service: "orders" }))).toBe("schema_not_found");
  });
});

describe("a candidate", () => {
  const rolling = async () => {
    const documents = testDocuments();
    await documents.put("orders/default", { ttl: 1 });
    await documents.put("orders/default", { ttl: 2 }, { ifMatch: 1, rollout: oneStep });
    return documents;
  };
  const by = { author: "control plane", reason: "errors rose" };

  test("stands beside the document, which nobody changes meanwhile", async () => {
    const documents = await rolling();
    expect(await documents.contentOf("orders/default")).toEqual({ ttl: 1 });
    expect(documents.effectiveOf("orders", "default")).toMatchObject({
      epoch: documents.ledger.epoch(),
      stable: { value: { ttl: 1 } },
      candidate: { document: documentName("orders/default"), value: { ttl: 2 } },
    });
    expect(codeOf(await documents.put("orders/default", {}, { ifMatch: 1 }))).toBe("rollout_under_way");
    expect(codeOf(await documents.put("orders/production", {}, { rollout: oneStep }))).toBe(
      "rollout_under_way",
    );
    expect(codeOf(await documents.put("orders/production", {}))).toBe("ok");
  });

  test.each([
    ["promote", "promoted", { ttl: 2 }],
    ["withdraw", "withdrawn", { ttl: 1 }],
  ] as const)("%s: ends under a newer epoch, and history says why", async (how, kind, content) => {
    const documents = await rolling();
    const started = documents.effectiveEpochOf("orders", "default");
    await documents.ledger.change((epoch) =>
      ok(documents.candidates[how](documentName("orders/default"), by, epoch)),
    );
    expect(documents.effectiveEpochOf("orders", "default")).toBeGreaterThan(started);
    expect(documents.effectiveOf("orders", "default").candidate).toBeUndefined();
    expect(await documents.contentOf("orders/default")).toEqual(content);
    const history = await documents.methods.documentHistory({ ...documentName("orders/default"), limit: 9 });
    const items = history.ok ? history.value.items : [];
    expect(items.map((entry) => entry.kind)).toEqual([kind, "candidate", "written"]);
    expect(items[0]).toMatchObject(by);
  });

  test("of a document that does not stand leaves none when it is withdrawn", async () => {
    const documents = testDocuments();
    await documents.put("orders/default", { ttl: 2 }, { rollout: oneStep });
    expect(await documents.contentOf("orders/default")).toBeUndefined();
    await documents.ledger.change((epoch) =>
      ok(documents.candidates.withdraw(documentName("orders/default"), by, epoch)),
    );
    expect(await documents.contentOf("orders/default")).toBeUndefined();
    expect(documents.effectiveOf("orders", "default").stable.value).toEqual({});
  });

  test("is checked as the document would be", async () => {
    const documents = testDocuments();
    await declare(documents, "orders");
    const refused = await documents.put("orders/default", { ttl: -1 }, { rollout: oneStep });
    expect(codeOf(refused)).toBe("config_does_not_fit");
    expect(documents.rolling).toEqual([]);
  });
});
