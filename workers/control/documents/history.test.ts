import { describe, expect, test, vi } from "vitest";
import type { JsonObject } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import { ok } from "#shared/result.ts";
import { documentName, oneStep, testDocuments } from "#test/fake/document-store.ts";

const ORDERS = documentName("orders/default");
const BY = { author: "ann", reason: "because" };
const codeOf = (result: { ok: boolean; error?: { code: string } }) => (result.ok ? "ok" : result.error?.code);

const threeRevisions = async () => {
  const documents = testDocuments();
  await documents.put("orders/default", { ttl: 1, gone: true });
  await documents.put("orders/default", { ttl: 2 }, { ifMatch: 1 });
  await documents.methods.removeDocument({ ...ORDERS, ...BY, ifMatch: 2 });
  return documents;
};

describe("the history of a document", () => {
  test("tells newest first who changed what and why, in pages", async () => {
    const { methods } = await threeRevisions();
    const first = await methods.documentHistory({ ...ORDERS, limit: 2 });
    expect(first).toMatchObject({
      value: {
        more: true,
        items: [
          { revision: 3, kind: "removed", ...BY, changes: [{ path: "ttl", before: 2 }] },
          {
            revision: 2,
            kind: "written",
            changes: [
              { path: "gone", before: true },
              { path: "ttl", before: 1, after: 2 },
            ],
          },
        ],
      },
    });
    const second = await methods.documentHistory({ ...ORDERS, before: 2, limit: 2 });
    expect(second).toMatchObject({ value: { more: false, items: [{ revision: 1 }] } });
    expect(codeOf(await methods.documentHistory({ ...documentName("no/default"), limit: 2 }))).toBe(
      "document_not_found",
    );
  });

  test("keeps the newest revisions only, and says of the oldest no change that it cannot know", async () => {
    const kept = LIMITS.documentRevisions;
    const documents = testDocuments();
    for (let revision = 0; revision <= kept + 1; revision++) {
      await documents.put("orders/default", { ttl: revision }, revision === 0 ? {} : { ifMatch: revision });
    }
    const { methods } = documents;
    expect(codeOf(await methods.documentRevision({ ...ORDERS, revision: 2 }))).toBe("revision_not_found");
    expect(codeOf(await methods.documentRevision({ ...ORDERS, revision: 3 }))).toBe("ok");
    const oldest = await methods.documentHistory({ ...ORDERS, before: 4, limit: 5 });
    expect(oldest).toMatchObject({ value: { more: false, items: [{ revision: 3 }] } });
    expect(oldest).not.toHaveProperty("value.items.0.changes");
  });
});

describe("a large document's history", () => {
  const large = (letter: string) => {
    const texts = Array.from({ length: 16 }, () => letter.repeat(LIMITS.configTextCharacters));
    return { texts };
  };
  /** As many revisions as the bound takes, so that each further one costs an old one. */
  const filled = async () => {
    const documents = testDocuments();
    const fitting = Math.floor(LIMITS.documentHistoryBytes / JSON.stringify(large("a")).length);
    for (let revision = 0; revision < fitting; revision++)
      await documents.put("orders/default", large("a"), revision === 0 ? {} : { ifMatch: revision });
    const kept = async (revision: number) =>
      (await documents.methods.documentRevision({ ...ORDERS, revision })).ok;
    return { documents, fitting, kept };
  };

  test("is bounded in bytes: the oldest make room", async () => {
    const { documents, fitting, kept } = await filled();
    expect([await kept(1), await kept(2)]).toEqual([true, true]);
    await documents.put("orders/default", large("b"), { ifMatch: fitting });
    expect([await kept(1), await kept(2), await kept(fitting + 1)]).toEqual([false, true, true]);
    const page = await documents.methods.documentHistory({ ...ORDERS, before: 3, limit: 5 });
    expect(page).toMatchObject({ ok: true, value: { more: false, items: [{ revision: 2 }] } });
  });

  test("is told in pages that end early", async () => {
    const { documents, fitting } = await filled();
    const page = await documents.methods.documentHistory({ ...ORDERS, limit: 100 });
    const items = page.ok ? page.value.items : [];
    expect([items.length > 5, items.length < fitting]).toEqual([true, true]);
    const rest = await documents.methods.documentHistory({
      ...ORDERS,
      before: items.at(-1)?.revision,
      limit: 100,
    });
    expect(page).toMatchObject({ value: { more: true } });
    expect(rest).toHaveProperty("value.items.0.revision", fitting - items.length);
  });

  test("counts bytes where characters take several", async () => {
    const { documents, fitting, kept } = await filled();
    await documents.put("orders/default", large("ü"), { ifMatch: fitting });
    expect([await kept(2), await kept(3)]).toEqual([false, true]);
  });

  test("never loses what is in force or being rolled out, nor of another document anything", async () => {
    const { documents, fitting } = await filled();
    await documents.put("payments/default", { ttl: 1 });
    const { database } = documents;
    database.exec("UPDATE documents SET stable = 1 WHERE service = 'orders'");
    await documents.put("orders/default", large("b"), { ifMatch: 1, rollout: oneStep });
    await documents.ledger.change((epoch) => {
      documents.candidates.withdraw(ORDERS, BY, epoch);
      return ok(undefined);
    });
    const revisions = database
      .prepare("SELECT revision FROM revisions WHERE service = 'orders' ORDER BY revision")
      .all()
      .map(({ revision }) => revision);
    expect(revisions.slice(0, 2)).toEqual([1, 3]);
    expect(revisions.slice(-2)).toEqual([fitting + 1, fitting + 2]);
    expect(await documents.contentOf("payments/default")).toEqual({ ttl: 1 });
  });
});

describe("rolling back", () => {
  test("puts an earlier content in force as a new revision, also of a removed document", async () => {
    const documents = await threeRevisions();
    expect(await documents.contentOf("orders/default")).toBeUndefined();
    const back = await documents.methods.rollBackDocument({ ...ORDERS, ...BY, revision: 1 });
    expect(back).toMatchObject({
      value: { created: true, revision: { revision: 4, kind: "rolled_back", content: { ttl: 1 } } },
    });
    expect(await documents.contentOf("orders/default")).toEqual({ ttl: 1, gone: true });
  });

  test("is refused to what is not kept, to a removal, and to what does not fit any more", async () => {
    const { methods } = await threeRevisions();
    const rollBack = (revision: number) => methods.rollBackDocument({ ...ORDERS, ...BY, revision });
    expect(codeOf(await rollBack(9))).toBe("revision_not_found");
    expect(codeOf(await rollBack(3))).toBe("revision_not_found");
    const schema = { type: "object", properties: { ttl: { type: "integer", minimum: 2 } } };
    await methods.declareSchema({ service: "orders", schema, author: "ci" });
    expect(codeOf(await rollBack(1))).toBe("config_does_not_fit");
    expect(codeOf(await rollBack(2))).toBe("ok");
  });
});

describe("export and import", () => {
  const filled = async () => {
    const documents = testDocuments();
    await documents.put("orders/default", { ttl: 1, key: { $secret: "a long secret" } });
    await documents.put("orders/production", { list: [1, { a: null }], "odd.name": "" });
    await documents.put("shared/default", { flags: { f: { enabled: false } } });
    return documents;
  };
  const exported = async (documents: ReturnType<typeof testDocuments>) => {
    const all = await documents.methods.exportDocuments({});
    return all.ok ? all.value.items : [];
  };

  test("gives the same again: into itself nothing changes, after a change all is back", async () => {
    const documents = await filled();
    const all = await exported(documents);
    expect(all.map(({ service, profile }) => `${service}/${profile}`)).toEqual([
      "orders/default",
      "orders/production",
      "shared/default",
    ]);
    const epoch = documents.ledger.epoch();
    const same = await documents.methods.importDocuments({ documents: all, ...BY, dryRun: false });
    expect(same).toMatchObject({ value: all.map(() => ({ action: "unchanged", changes: [] })) });
    expect(documents.ledger.epoch()).toBe(epoch);

    const { key } = (await documents.contentOf("orders/default")) as { key: JsonObject };
    await documents.put("orders/default", { key, ttl: 7 }, { ifMatch: 1 });
    await documents.methods.removeDocument({ ...documentName("orders/production"), ...BY, ifMatch: "*" });
    const back = await documents.methods.importDocuments({ documents: all, ...BY, dryRun: false });
    expect(back).toMatchObject({
      value: [
        { action: "changed", changes: [{ path: "ttl", before: 7, after: 1 }] },
        { action: "created" },
        { action: "unchanged" },
      ],
    });
    expect(await exported(documents)).toEqual(all);
  });

  test("tried only, says the same and changes nothing", async () => {
    const documents = await filled();
    const before = documents.dump();
    const tried = await documents.methods.importDocuments({
      documents: [
        { ...documentName("orders/production"), content: { list: [] } },
        { ...documentName("new/default"), content: { a: { $secret: "another secret" } } },
      ],
      ...BY,
      dryRun: true,
    });
    expect(tried).toMatchObject({ value: [{ action: "changed", revision: 1 }, { action: "created" }] });
    expect(JSON.stringify(tried)).not.toContain("another secret");
    expect(documents.dump()).toBe(before);
  });

  test("takes all or nothing", async () => {
    const documents = await filled();
    const before = documents.dump();
    const bad: JsonObject[] = [{ flags: 1 }, { a: { $secret: { fingerprint: "000000000000" } } }];
    for (const content of bad) {
      const refused = await documents.methods.importDocuments({
        documents: [
          { ...documentName("aa/default"), content: { fine: true } },
          { ...documentName("bb/default"), content },
        ],
        ...BY,
        dryRun: false,
      });
      expect(refused.ok).toBe(false);
      expect(documents.dump()).toBe(before);
    }
  });
});

describe("the bounds of documents", () => {
  test("refuse another profile of a service that has all it may have, not another revision of one", async () => {
    const documents = testDocuments();
    for (let index = 0; index < LIMITS.documentProfiles; index++) await documents.put(`a/p${index}`, {});
    expect(codeOf(await documents.put("a/more", {}))).toBe("limit_reached");
    expect(codeOf(await documents.put("a/p0", {}, { ifMatch: 1 }))).toBe("ok");
    expect(codeOf(await documents.put("b/more", {}))).toBe("ok");
  });

  test("make room by forgetting what was removed first, and no configuration looks older for it", async () => {
    const limit = vi.spyOn(LIMITS, "documents", "get").mockReturnValue(2 as never);
    try {
      const documents = testDocuments();
      await documents.put("a/default", {});
      await documents.put("b/default", {});
      expect(codeOf(await documents.put("c/default", {}))).toBe("limit_reached");
      await documents.methods.removeDocument({ ...documentName("a/default"), ...BY, ifMatch: 1 });
      const removedAt = documents.effectiveEpochOf("a", "default");
      expect(codeOf(await documents.put("c/default", {}))).toBe("ok");
      expect(
        codeOf(await documents.methods.documentHistory({ ...documentName("a/default"), limit: 1 })),
      ).toBe("document_not_found");
      expect(documents.effectiveEpochOf("a", "default")).toBe(removedAt);
    } finally {
      limit.mockRestore();
    }
  });
});
