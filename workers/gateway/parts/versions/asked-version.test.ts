import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeExchange } from "../../fake-exchange.ts";
import { versionRule } from "./asked-version.ts";
import { refuseVersion } from "./refuse-version.ts";
import { versionedPath } from "./versioned-path.ts";
import { versionsSchema, type WrittenVersions } from "./versions-schema.ts";

interface Asking {
  readonly path?: number;
  readonly header?: string;
  readonly accept?: string;
}

const asked = ({ path, header, accept }: Asking, written: WrittenVersions = {}, majors = [1, 2, 3]) =>
  versionRule(versionsSchema.parse(written)).asked({
    pathMajor: path,
    majors,
    headers: new Headers({ ...(header && { "Skerry-Version": header }), ...(accept && { accept }) }),
  });

const json = (version: string) => `application/json; version=${version}`;

describe("the version asked for", () => {
  test.each<[string, Asking, { major: number; minor: number }]>([
    ["is the path's", { path: 2 }, { major: 2, minor: 0 }],
    ["is the header's where the path has none", { header: "2" }, { major: 2, minor: 0 }],
    ["is the media type's where neither has one", { accept: json("3") }, { major: 3, minor: 0 }],
    ["has the minor of the header beside the path", { path: 2, header: "2.4" }, { major: 2, minor: 4 }],
    [
      "has the minor of the media type beside the path",
      { path: 2, accept: json("2.4") },
      { major: 2, minor: 4 },
    ],
    ["has the greater of two minors", { header: "1.2", accept: json("1.3") }, { major: 1, minor: 3 }],
    [
      "is the best range's that there is",
      { accept: `${json("9")}, ${json("1")};q=0.5, ${json("2")};q=0.8` },
      { major: 2, minor: 0 },
    ],
    [
      "is the first of equally good ones",
      { accept: `application/vnd.shop+json;version=3, ${json("1")}` },
      { major: 3, minor: 0 },
    ],
    [
      "has no minor where another range takes whatever there is",
      { accept: `${json("1.9")}, */*;q=0.1` },
      { major: 1, minor: 0 },
    ],
    [
      "is the path's where another range takes whatever there is",
      { path: 1, accept: `${json("2")}, */*` },
      { major: 1, minor: 0 },
    ],
    [
      "is the path's beside the version of another format",
      { path: 1, accept: "text/plain;version=2" },
      { major: 1, minor: 0 },
    ],
  ])("%s", (_, asking, version) => {
    expect(asked(asking)).toEqual({ ok: true, value: version });
  });

  test("is not looked for where a way of asking is off", () => {
    expect(asked({ path: 1, header: "2", accept: json("3") }, { header: false, mediaType: false })).toEqual({
      ok: true,
      value: { major: 1, minor: 0 },
    });
    expect(versionRule({ header: false, mediaType: false }).vary).toEqual([]);
  });

  test("is read from a header and a parameter of other names", () => {
    const rule = versionRule({ header: "API-Version", mediaType: "V" });
    const headers = new Headers({ "api-version": "2", accept: "application/json;v=2.1" });
    expect(rule.asked({ headers, pathMajor: undefined, majors: [2] })).toEqual({
      ok: true,
      value: { major: 2, minor: 1 },
    });
    expect(rule.vary).toEqual(["api-version", "accept"]);
  });

  test.each<[WrittenVersions["default"], number]>([
    ["newest", 3],
    ["oldest", 1],
    [2, 2],
  ])("is by default %s where nothing names one", (standIn, major) => {
    expect(asked({}, standIn === undefined ? {} : { default: standIn })).toEqual({
      ok: true,
      value: { major, minor: 0 },
    });
  });
});

describe("a refusal", () => {
  const refusedOf = async (asking: Asking, written?: WrittenVersions) => {
    const result = asked(asking, written);
    if (result.ok) throw new Error(`expected a refusal, found ${JSON.stringify(result.value)}`);
    const answer = refuseVersion(fakeExchange("/orders/items"), result.error);
    return { status: answer.status, ...((await answer.json()) as { type: string; detail: string }) };
  };

  test("of nothing named is a 404, as ever, also where the default is not registered", async () => {
    expect((await refusedOf({})).status).toBe(404);
    expect((await refusedOf({}, { default: 9 })).status).toBe(404);
  });

  test.each<[string, Asking]>([
    ["path and header", { path: 1, header: "2" }],
    ["path and media type", { path: 1, accept: json("2") }],
    ["header and media type", { header: "1", accept: json("2.1") }],
  ])("of a contradiction of %s is a 400 that names both", async (_, asking) => {
    const refused = await refusedOf(asking);
    expect(refused).toMatchObject({ status: 400, type: "/problems/version_conflict" });
    expect(refused.detail).toMatch(/1.*2/);
  });

  test.each(["banana", "1.2.3", "v1", "01", "", "-1", "1.", "9999999999"])(
    "of a header that says %j is a 400",
    async (header) => {
      const rule = versionRule({});
      const result = rule.asked({
        headers: { get: (name) => (name === "accept" ? null : header) },
        pathMajor: 1,
        majors: [1],
      });
      expect(result).toMatchObject({ ok: false, error: { code: "unreadable" } });
    },
  );

  test("RFC 9110 §15.5.7: a refusal of a major that there is not is a 406 that names those that there are", async () => {
    for (const asking of [{ header: "9" }, { accept: json("9") }]) {
      const refused = await refusedOf(asking);
      expect(refused).toMatchObject({ status: 406, type: "/problems/version_not_offered" });
      expect(refused.detail).toBe('Looking for version "9": expected one of "1", "2", "3".');
    }
  });
});

test("whatever a request says, it gets a version that there is, the path's own, or a refusal", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("1", "2.5", "7", json("1"), `${json("2.1")};q=0, */*`, `${json("4")}, text/html`),
  );
  fc.assert(
    fc.property(
      fc.option(fc.nat({ max: 5 })),
      fc.option(text),
      fc.option(text),
      fc.constantFrom<WrittenVersions["default"]>(false, "newest", "oldest", 2),
      (path, header, accept, standIn) => {
        const get = (name: string) => (name === "accept" ? accept : header);
        const rule = versionRule({ default: standIn ?? false });
        const result = rule.asked({ headers: { get }, pathMajor: path ?? undefined, majors: [1, 2] });
        if (!result.ok) return;
        if (path !== null) expect(result.value.major).toBe(path);
        else expect([1, 2]).toContain(result.value.major);
        expect(result.value.minor).toBeGreaterThanOrEqual(0);
      },
    ),
  );
});

test("a path without version gets one behind the service's name", () => {
  expect(versionedPath("/orders/items/7?x=/y", 2)).toBe("/orders/v2/items/7?x=/y");
  expect(versionedPath("/orders", 2)).toBe("/orders/v2");
  expect(versionedPath("/orders/", 2)).toBe("/orders/v2/");
});

test("where headers mention no version the path alone has said it", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("1", "2.5", "Application/JSON; VERSION=1.2", "text/html", "application/json"),
  );
  fc.assert(
    fc.property(fc.option(text), fc.option(text), (header, accept) => {
      const headers = { get: (name: string) => (name === "accept" ? accept : header) };
      const rule = versionRule({});
      if (rule.mentionedBy(headers)) return;
      expect(rule.asked({ headers, pathMajor: 1, majors: [] })).toEqual({
        ok: true,
        value: { major: 1, minor: 0 },
      });
    }),
  );
  const mentioned = versionRule({ mediaType: false }).mentionedBy(new Headers({ accept: json("1") }));
  expect(mentioned).toBe(false);
  expect(versionRule({}).mentionedBy(new Headers({ "skerry-version": "1" }))).toBe(true);
});
