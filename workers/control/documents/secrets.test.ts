import { describe, expect, test } from "vitest";
import { newKey, sealer } from "#shared/config/sealing.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import { documentName, testDocuments } from "#test/fake/document-store.ts";
import { replaceSealed } from "./secrets.ts";

const TEXT = "correct horse battery staple";
const OTHER = "another secret text";
const secret = (text: string = TEXT) => ({ $secret: text });
const ORDERS = documentName("orders/default");
const codeOf = (result: { ok: boolean; error?: { code: string } }) => (result.ok ? "ok" : result.error?.code);

const withSecret = async (keys = newKey("k1")) => {
  const documents = testDocuments({ keys });
  await documents.put("orders/default", { db: { password: secret(), host: "x" }, list: [1, secret(OTHER)] });
  return documents;
};
const shown = { $secret: { fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/) } };

describe("secrets of documents", () => {
  test("stand in no row in clear, and leave the store by no reading", async () => {
    const documents = await withSecret();
    await documents.put("orders/default", { db: { password: secret(OTHER) } }, { ifMatch: 1 });
    const { methods } = documents;
    const answers = await Promise.all([
      methods.readDocument(ORDERS),
      methods.documentHistory({ ...ORDERS, limit: 10 }),
      methods.documentRevision({ ...ORDERS, revision: 1 }),
      methods.documentDiff({ ...ORDERS, from: 1, to: 2 }),
      methods.effectiveDocument(ORDERS),
      methods.exportDocuments({}),
      methods.rollBackDocument({ ...ORDERS, revision: 1, reason: "", author: "ann" }),
    ]);
    const told = JSON.stringify([...answers, documents.dump()]);
    expect(answers.every(({ ok }) => ok)).toBe(true);
    expect(documents.dump()).toContain("orders");
    for (const text of [TEXT, OTHER]) expect(told).not.toContain(text);
    // Sealed data leaves it neither.
    expect(JSON.stringify(answers)).not.toContain('"iv"');
    expect(await documents.contentOf("orders/default")).toEqual({
      db: { password: shown, host: "x" },
      list: [1, shown],
    });
  });

  test("that stand are told of by no schema: who declares one could ask for them letter by letter", async () => {
    const documents = await withSecret();
    const guess = (pattern: string) => ({
      type: "object",
      properties: {
        db: { type: "object", properties: { password: { type: "string", pattern, secret: true } } },
        list: { type: "array" },
      },
    });
    for (const pattern of ["^c", "^x"]) {
      const declared = await documents.methods.declareSchema({
        service: "orders",
        schema: guess(pattern),
        author: "eve",
      });
      expect(declared).toMatchObject({ ok: true, value: { faults: [] } });
      const content = (await documents.contentOf("orders/default")) as JsonObject;
      expect(codeOf(await documents.put("orders/default", content, { ifMatch: "*" }))).toBe("ok");
    }
    // One that comes now is checked.
    const written = await documents.put(
      "orders/default",
      { db: { password: secret(OTHER) } },
      { ifMatch: "*" },
    );
    expect(codeOf(written)).toBe("config_does_not_fit");
  });

  test("are kept when they are written back as they were read, at the same path only", async () => {
    const documents = await withSecret();
    const content = (await documents.contentOf("orders/default")) as { db: JsonObject; list: [] };
    const before = documents.effectiveOf("orders", "default").stable.value;
    const back = await documents.put("orders/default", content, { ifMatch: 1 });
    expect(codeOf(back)).toBe("ok");
    expect(documents.effectiveOf("orders", "default").stable.value).toEqual(before);
    for (const [name, moved] of [
      ["orders/default", { elsewhere: content.db.password }],
      ["orders/default", { db: { password: { $secret: { fingerprint: "000000000000" } } } }],
      ["orders/production", content],
    ] as const) {
      const refused = await documents.put(
        name,
        moved as JsonObject,
        name === "orders/default" ? { ifMatch: 2 } : {},
      );
      expect(codeOf(refused)).toBe("secret_not_known");
    }
  });

  test("written again with the same text are no change", async () => {
    const documents = await withSecret();
    await documents.put(
      "orders/default",
      { db: { password: secret(), host: "y" }, list: [1, secret(OTHER)] },
      { ifMatch: 1 },
    );
    const changed = await documents.methods.documentDiff({ ...ORDERS, from: 1, to: 2 });
    expect(changed).toMatchObject({ ok: true, value: [{ path: "db.host", before: "x", after: "y" }] });
  });

  test.each<[string, JsonObject]>([
    ["a number", { a: { $secret: 1 } }],
    ["null", { a: { $secret: null } }],
    ["an empty text", { a: secret("") }],
    ["a text that is too long", { a: secret("x".repeat(20_000)) }],
    ["something beside it", { a: { $secret: "x", b: 1 } }],
    ["one too many", { a: Array.from({ length: LIMITS.documentSecrets + 1 }, () => secret()) }],
    ["what only the store writes", { a: { $secret: { key: "k", iv: "", data: "", fingerprint: "0" } } }],
    ["the whole document", { $secret: { fingerprint: "000000000000" } }],
    ["a flag's variant", { flags: { f: { variants: { on: { x: secret() } } } } }],
  ])("are refused as %s, and nothing of them is told", async (_, content) => {
    const documents = testDocuments();
    const refused = await documents.put("orders/default", content);
    expect(codeOf(refused)).toBe("config_does_not_fit");
    expect(JSON.stringify(refused)).not.toContain(TEXT);
  });

  test("are checked as texts, and needed where the schema marks them", async () => {
    const documents = testDocuments();
    const schema = {
      type: "object",
      properties: { password: { type: "string", minLength: 5, pattern: "^[a-z ]+$", secret: true } },
    };
    await documents.methods.declareSchema({ service: "orders", schema, author: "ci" });
    const clear = await documents.put("orders/default", { password: TEXT });
    expect(clear).toMatchObject({
      ok: false,
      error: { code: "config_does_not_fit", errors: [{ path: "password" }] },
    });
    expect(codeOf(await documents.put("shared/default", { password: TEXT }))).toBe("config_does_not_fit");
    const unfit = await documents.put("orders/default", { password: secret("HORSE1") });
    expect(codeOf(unfit)).toBe("config_does_not_fit");
    expect(JSON.stringify([clear, unfit])).not.toMatch(/horse/i);
    expect(codeOf(await documents.put("orders/default", { password: secret() }))).toBe("ok");
  });

  test("of a shared document open for each service at the place of the document", async () => {
    const keys = newKey("k1");
    const documents = testDocuments({ keys });
    await documents.put("shared/default", { "a.b": { c: [secret()] }, own: secret(OTHER) });
    await documents.put("orders/production", { own: secret("own") });
    const { stable } = documents.effectiveOf("orders", "production");
    const places: string[] = [];
    const opened = await replaceSealed(stable, (sealed, place) => {
      places.push(place);
      return sealer({ keys }).open(sealed, place);
    });
    expect(opened).toEqual({ "a.b": { c: [TEXT] }, own: "own" });
    expect(places).toEqual(["shared/default#a\\.b.c.0", "orders/production#own"]);
  });
});

describe("rotating secrets", () => {
  test("seals all revisions by the newest key, so that the old one can go", async () => {
    const [old, fresh] = [newKey("k1"), newKey("k2")];
    const before = await withSecret(old);
    await before.put("orders/default", { none: true }, { ifMatch: 1 });
    const { database } = before;
    const between = testDocuments({ keys: `${fresh},${old}`, database });
    expect(await between.methods.rotateSecrets({})).toEqual({
      ok: true,
      value: { key: "k2", resealed: 1, failed: [] },
    });
    expect(await between.methods.rotateSecrets({})).toMatchObject({ value: { resealed: 0 } });
    expect(between.dump()).toMatch(/key\\*":\\*"k2/);
    expect(between.dump()).not.toMatch(/key\\*":\\*"k1/);

    const after = testDocuments({ keys: fresh, database });
    await after.methods.rollBackDocument({ ...ORDERS, revision: 1, reason: "", author: "ann" });
    const { stable } = after.effectiveOf("orders", "default");
    const opened = await replaceSealed(stable, (sealed, place) =>
      sealer({ keys: fresh }).open(sealed, place),
    );
    expect(opened).toEqual({ db: { password: TEXT, host: "x" }, list: [1, OTHER] });
  });

  test("is a change to whoever has a revision that was sealed anew, and to nobody else", async () => {
    const [old, fresh] = [newKey("k1"), newKey("k2")];
    const before = await withSecret(old);
    await before.put("payments/default", { apiKey: secret() });
    await before.put("payments/default", { none: true }, { ifMatch: 1 });
    const { methods, effectiveEpochOf } = testDocuments({
      keys: `${fresh},${old}`,
      database: before.database,
    });
    const epochs = () => ["orders", "payments"].map((service) => effectiveEpochOf(service, "default"));
    const [orders = 0, payments = 0] = epochs();
    expect(await methods.rotateSecrets({})).toMatchObject({ value: { resealed: 2 } });
    expect(epochs()).toEqual([payments + 1, payments]);
    expect(orders).toBeLessThan(payments);
    await methods.rotateSecrets({});
    expect(epochs()).toEqual([payments + 1, payments]);
  });

  test("goes on in steps, and names what no key opens", async () => {
    const [lost, fresh] = [newKey("k1"), newKey("k2")];
    const { database, put } = await withSecret(lost);
    for (let revision = 1; revision <= 230; revision++) {
      await put("orders/default", { a: secret(`${revision}`) }, { ifMatch: revision });
    }
    const documents = testDocuments({ keys: fresh, database });
    const first = await documents.methods.rotateSecrets({});
    expect(first).toMatchObject({ value: { resealed: 0, next: expect.any(Number) } });
    const next = first.ok ? first.value.next : 0;
    const second = await documents.methods.rotateSecrets({ after: next });
    const failed = [first, second].flatMap((answer) => (answer.ok ? answer.value.failed : []));
    expect(failed.map(({ revision }) => revision)).toEqual(
      Array.from({ length: 231 }, (_, index) => index + 1),
    );
    expect(second).not.toHaveProperty("value.next");
  });
});
