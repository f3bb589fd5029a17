import { describe, expect, it } from "vitest";
import * as z from "zod";
import { MIN_POSITION_HEADER } from "./position.ts";
import { queryPage } from "./query-page.ts";

const NUMBERS = [1, 2, 3, 4, 5];

const ask = (
  url: string,
  { limit, reached = true, wanted }: { limit: number; reached?: boolean; wanted?: string },
) => {
  const cursor = new URL(url, "http://shop").searchParams.get("cursor") ?? undefined;
  return queryPage({
    request: {
      url: new URL(url, "http://shop").href,
      header: (name) => (name === MIN_POSITION_HEADER ? wanted : undefined),
    },
    service: "orders",
    projector: () => ({ waitFor: async () => reached }),
    page: { limit, cursor },
    place: z.int(),
    rows: async ({ after, limit }) => NUMBERS.filter((number) => number > (after ?? 0)).slice(0, limit),
    placeOf: (number: number) => number,
  });
};

const nextOf = (headers: Record<string, string>) => headers.link?.match(/^<(.*)>; rel="next"$/)?.[1];

describe("queryPage", () => {
  it("goes through all rows once, and names no page after the last", async () => {
    const seen: (readonly number[])[] = [];
    for (let url: string | undefined = "/orders?status=placed"; url !== undefined; ) {
      const page = await ask(url, { limit: 2 });
      if (!page.ok) throw new Error(page.error.code);
      seen.push(page.value.items);
      url = nextOf(page.value.headers);
      if (url) expect(url).toContain("status=placed");
    }
    expect(seen).toEqual([[1, 2], [3, 4], [5]]);
  });

  it("names no page after one that is full and the last", async () =>
    expect(await ask("/orders", { limit: 5 })).toEqual({
      ok: true,
      value: { items: NUMBERS, headers: {} },
    }));

  it("shows no rows that are older than the client asks for", async () =>
    expect(await ask("/orders", { limit: 5, reached: false, wanted: "orders=7" })).toMatchObject({
      error: { code: "position_not_reached" },
    }));

  it.each(["rubbish", btoa('"a"')])("refuses the cursor %s", async (cursor) =>
    expect(await ask(`/orders?cursor=${cursor}`, { limit: 5 })).toMatchObject({
      error: { code: "invalid_parameter" },
    }),
  );
});
