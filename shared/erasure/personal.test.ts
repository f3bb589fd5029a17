import { describe, expect, it } from "vitest";
import * as z from "zod";
import { brokenPromises, eventSchemas } from "../events/event-schemas.ts";
import { event } from "../events/event-types.ts";
import { personal, personalFieldsOf } from "./personal.ts";
import { personalValues, withValue } from "./personal-values.ts";

const note = () => personal(z.string(), { subject: "who" });

describe("personal fields", () => {
  it("are found in every version, at any depth", () => {
    const Met = event({ who: z.string(), note: z.string() }).next(
      () => ({
        who: z.string(),
        note: note(),
        place: z.strictObject({ street: note().optional(), town: z.string() }).nullable(),
        guests: z.array(z.strictObject({ name: note() })),
        byDay: z.record(z.string(), note()),
        address: personal(z.strictObject({ street: z.string() }), { subject: "who" }),
      }),
      ({ who, note }) => ({ who, note, place: null, guests: [], byDay: {}, address: null }),
    );
    const found = personalFieldsOf({ Met, Left: event({ who: z.string() }) });
    expect([...found.keys()]).toEqual(["Met"]);
    const [first, second] = found.get("Met") ?? [];
    expect(first).toEqual([]);
    expect(second?.map(({ path }) => path.join("."))).toEqual([
      "note",
      "place.street",
      "guests.*.name",
      "byDay.*",
      "address",
    ]);
  });

  it.each([
    ["is not there", { note: personal(z.string(), { subject: "whom" }), who: z.string() }],
    ["may be absent", { note: note(), who: z.string().optional() }],
    ["is no text", { note: note(), who: z.int() }],
    ["is personal itself", { note: note(), who: note() }],
  ])("are refused when what names their subject %s", (_, shape) => {
    expect(() => personalFieldsOf({ Met: event(shape) })).toThrow('as personal by "who');
  });

  it("show in the published schema, so that what was clear never becomes personal under the same version", () => {
    const published = eventSchemas("meetings", {
      Met: event({ who: z.string(), note: z.string().nullable() }),
    });
    const declared = eventSchemas("meetings", { Met: event({ who: z.string(), note: note() }) });
    expect(JSON.stringify(declared)).toContain('"x-personal":{"subject":"who"}');
    expect(brokenPromises(published, declared)).toEqual(['version 1 of "meetings.Met" takes other data']);
  });
});

describe("personal values", () => {
  const fields = [
    { path: ["guests", "*", "name"], subject: "who" },
    { path: ["note"], subject: "who" },
  ];

  it("are those that stand there; null and what is absent are none", () => {
    const data = { who: "ada", guests: [{ name: "b" }, { name: null }, {}, null], note: { x: 1 } };
    expect(personalValues(data, fields)).toEqual([
      { path: ["guests", "0", "name"], value: "b", subject: "ada" },
      { path: ["note"], value: { x: 1 }, subject: "ada" },
    ]);
  });

  it("are replaced without touching what they were found in", () => {
    const data = { guests: [{ name: "a" }, { name: "b" }], rest: {} };
    const changed = withValue(data, ["guests", "1", "name"], null);
    expect(changed).toEqual({ guests: [{ name: "a" }, { name: null }], rest: {} });
    expect(data.guests[1]).toEqual({ name: "b" });
    expect(changed.rest).toBe(data.rest);
  });
});
