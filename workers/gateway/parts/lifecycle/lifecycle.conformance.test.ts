import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Instance, ServiceEntry } from "#shared/registry/instance.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { instance } from "../../fake-link.ts";
import { lifecycle } from "./lifecycle.ts";
import { lifecycleSchema, type WrittenLifecycle } from "./lifecycle-schema.ts";

const JULY_2023 = "2023-06-30T23:59:59Z";
const JULY_2024 = "2024-06-30T23:59:59Z";

interface Given {
  readonly written?: WrittenLifecycle;
  readonly instances?: readonly Partial<Instance>[];
  readonly now?: string;
  readonly answer?: Response;
  readonly major?: number;
}

const ask = async ({ written = {}, instances = [], now = "2024-01-01", answer, major = 1 }: Given) => {
  const entry: ServiceEntry = { service: "shop", epoch: 1, instances: instances.map(instance) };
  let sent = 0;
  const part = lifecycle(lifecycleSchema.parse(written), {
    clock: () => Date.parse(now),
    entryOf: () => entry,
    majorOf: () => major,
  });
  const handler = part(async () => {
    sent++;
    return answer ?? new Response("goods");
  });
  const response = await answered(handler, fakeExchange("/shop/v1/things"));
  return { response, header: (name: string) => response.headers.get(name), sent };
};

describe("RFC 9745", () => {
  test("RFC 9745 §2.1: `Deprecation` is a Structured Field Date in seconds", async () => {
    const { header } = await ask({ written: { deprecated: JULY_2023 } });
    expect(header("deprecation")).toBe("@1688169599");
  });

  test("RFC 9745 §2.1: a deprecation may lie in the future, and a day begins in UTC", async () => {
    const { header } = await ask({ written: { deprecated: "2024-06-30" } });
    expect(header("deprecation")).toBe(`@${Date.UTC(2024, 5, 30) / 1_000}`);
  });

  test("RFC 9745 §3: a link of relation `deprecation` leads to what is said of it", async () => {
    const { header } = await ask({ written: { deprecated: JULY_2023, link: "https://docs.example/end" } });
    expect(header("link")).toBe('<https://docs.example/end>; rel="deprecation"');
  });

  test("RFC 9745 §4: a sunset before the deprecation is no configuration", () => {
    const parsed = lifecycleSchema.safeParse({ deprecated: JULY_2024, sunset: JULY_2023 });
    expect(parsed.error?.issues[0]?.path).toEqual(["sunset"]);
    expect(lifecycleSchema.safeParse({ deprecated: JULY_2024, sunset: JULY_2024 }).success).toBe(true);
  });

  test("RFC 9745 §4: a sunset before the deprecation is never told, wherever the two come from", async () => {
    const early = { sunset: "2024-02-01" };
    const late = { deprecated: "2024-03-01" };
    const both = await ask({ instances: [{ metadata: { ...early, ...late } }] });
    expect([both.header("deprecation"), both.header("sunset")]).toEqual([null, null]);
    const written = await ask({ written: late, instances: [{ metadata: early }] });
    expect([written.header("deprecation"), written.header("sunset")]).toEqual([
      `@${Date.UTC(2024, 2, 1) / 1_000}`,
      null,
    ]);
  });

  test("RFC 9745 §5: a deprecated resource answers as it did", async () => {
    const { response, sent } = await ask({ written: { deprecated: JULY_2023 } });
    expect([response.status, await response.text(), sent]).toEqual([200, "goods", 1]);
  });
});

describe("RFC 8594", () => {
  test("RFC 8594 §3: `Sunset` is an HTTP-date", async () => {
    const { header } = await ask({ written: { sunset: JULY_2024 } });
    expect(header("sunset")).toBe("Sun, 30 Jun 2024 23:59:59 GMT");
  });

  test("RFC 8594 §6: a link of relation `sunset` leads to what is said of it", async () => {
    const { header } = await ask({ written: { sunset: JULY_2024, link: "/docs/end" } });
    expect(header("link")).toBe('</docs/end>; rel="sunset"');
  });
});

test("RFC 5829 §3.2: a link of relation `successor-version` leads to what takes its place, beside the service's own links", async () => {
  const answer = new Response("goods", { headers: { link: '</next>; rel="next"' } });
  const { header } = await ask({ written: { successor: "/shop/v2" }, answer });
  expect(header("link")).toBe('</next>; rel="next", </shop/v2>; rel="successor-version"');
});

describe("after its sunset", () => {
  test("RFC 9110 §15.5.11: after its sunset a version is gone, with a link to its successor, and its service is not asked", async () => {
    const written = { deprecated: JULY_2023, sunset: JULY_2024, successor: "/shop/v2" };
    const { response, header, sent } = await ask({ written, now: JULY_2024 });
    expect([response.status, sent]).toEqual([410, 0]);
    expect(header("link")).toBe('</shop/v2>; rel="successor-version"');
    expect(header("sunset")).toBe("Sun, 30 Jun 2024 23:59:59 GMT");
    expect(header("deprecation")).toBe("@1688169599");
    expect(await response.json()).toMatchObject({
      type: "/problems/version_gone",
      detail:
        'Calling "/shop/v1/things": this version ended at 2024-06-30T23:59:59.000Z; expected "/shop/v2" in its place.',
    });
  });

  test("RFC 8594 §3: a version answers until the very moment of its sunset", async () => {
    const { sent } = await ask({ written: { sunset: JULY_2024 }, now: "2024-06-30T23:59:58.999Z" });
    expect(sent).toBe(1);
  });
});

describe("the registry", () => {
  test("says it by metadata of the instances of that major alone", async () => {
    const metadata = {
      deprecated: "2023-06-30",
      sunset: "2025-01-01",
      successor: "/shop/v2",
      "deprecation-link": "/end",
    };
    const instances = [{ metadata }, { version: "2.0.0" }];
    const one = await ask({ instances });
    expect(one.header("deprecation")).toBe(`@${Date.UTC(2023, 5, 30) / 1_000}`);
    expect(one.header("sunset")).toBe("Wed, 01 Jan 2025 00:00:00 GMT");
    expect(one.header("link")).toBe(
      '</end>; rel="deprecation", </end>; rel="sunset", </shop/v2>; rel="successor-version"',
    );
    const two = await ask({ instances, major: 2 });
    expect([...two.response.headers.keys()]).toEqual(["content-type"]);
  });

  test("goes by the newest version, which may take back what an older one says", async () => {
    const old = { version: "1.9.0", metadata: { deprecated: "2023-06-30" } };
    expect((await ask({ instances: [old, { version: "1.10.0" }] })).header("deprecation")).toBeNull();
    expect((await ask({ instances: [{ version: "1.8.3" }, old] })).header("deprecation")).not.toBeNull();
  });

  test("is weaker, field by field, than what is configured", async () => {
    const instances = [{ metadata: { deprecated: "2023-06-30", successor: "/shop/v2" } }];
    const { header } = await ask({ instances, written: { successor: "/shop/v3" } });
    expect(header("link")).toBe('</shop/v3>; rel="successor-version"');
    expect(header("deprecation")).not.toBeNull();
  });
});

test("whatever metadata says, an answer comes, and its headers are of the form that they must have", async () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "2024-13-40",
      "true",
      "@1",
      "2023-06-30",
      "2025-01-01T00:00:00Z",
      "/v2",
      "/v2\r\nx: y",
      '/"><',
      "javascript:x",
    ),
  );
  const keys = fc.constantFrom("deprecated", "sunset", "successor", "deprecation-link");
  await fc.assert(
    fc.asyncProperty(fc.dictionary(keys, text), async (metadata) => {
      const { response, header } = await ask({ instances: [{ metadata }] });
      expect([200, 410]).toContain(response.status);
      expect(header("deprecation") ?? "@0").toMatch(/^@-?\d+$/);
      expect(header("sunset") ?? "Sun, 30 Jun 2024 23:59:59 GMT").toMatch(
        /^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/,
      );
      expect(header("link") ?? "<>; rel=x").toMatch(/^(<[^<>"\s]*>; rel="?[a-z-]+"?(, )?)+$/);
    }),
  );
});
