/** What W3C Trace Context (level 2) asks of who stands between two others: each title begins with its section. */
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { servedInSpan } from "./http-server.ts";
import { recordSpans } from "./record-spans.ts";
import { tracedUpstream } from "./upstream.ts";

const spans = recordSpans();
afterEach(() => void spans.take());

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT_ID = "b7ad6b7169203331";
const SAMPLED = `00-${TRACE_ID}-${PARENT_ID}-01`;
const UNSAMPLED = `00-${TRACE_ID}-${PARENT_ID}-00`;

const VALID = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]$/;

interface Carried {
  readonly traceparent: string;
  readonly tracestate: string | null;
}

/** What the next one gets of a client's headers. */
const carriedOn = async (headers: HeadersInit, startsTrace?: (path: string) => boolean): Promise<Carried> => {
  const request = new Request("http://here/", { headers });
  let sent = new Headers();
  const next = tracedUpstream(
    {
      async fetch(onward) {
        sent = onward.headers;
        return new Response();
      },
    },
    { service: "next" },
  );
  await servedInSpan({ request, path: "/", routeOf: () => undefined, startsTrace }, (active) =>
    next.fetch(new Request(request), 0, active),
  );
  return { traceparent: sent.get("traceparent") ?? "", tracestate: sent.get("tracestate") };
};

const traceIdOf = ({ traceparent }: Carried) => traceparent.split("-")[1];
const flagsOf = ({ traceparent }: Carried) => traceparent.split("-")[3];

describe("traceparent", () => {
  test("W3C Trace Context §3.2.1: the name traceparent is read in any case", async () => {
    expect(traceIdOf(await carriedOn({ TraceParent: SAMPLED }))).toBe(TRACE_ID);
  });

  test("W3C Trace Context §3.2.2: what is sent on has version 00 and ids in lower case that are not all zeros", async () => {
    for (const headers of [{}, { traceparent: SAMPLED }, { traceparent: UNSAMPLED }]) {
      expect((await carriedOn(headers)).traceparent).toMatch(VALID);
    }
  });

  test.each([
    ["version ff", `ff-${TRACE_ID}-${PARENT_ID}-01`],
    ["a version that is no hexadecimal number", `0g-${TRACE_ID}-${PARENT_ID}-01`],
    ["a version of one digit", `0-${TRACE_ID}-${PARENT_ID}-01`],
    ["a trace-id of zeros", `00-${"0".repeat(32)}-${PARENT_ID}-01`],
    ["a parent-id of zeros", `00-${TRACE_ID}-${"0".repeat(16)}-01`],
    ["upper case", SAMPLED.toUpperCase()],
    ["a trace-id that is too short", `00-${TRACE_ID.slice(1)}-${PARENT_ID}-01`],
    ["a trace-id that is too long", `00-${TRACE_ID}0-${PARENT_ID}-01`],
    ["a parent-id that is too short", `00-${TRACE_ID}-${PARENT_ID.slice(1)}-01`],
    ["flags that are no hexadecimal number", `00-${TRACE_ID}-${PARENT_ID}-0x`],
    ["flags of one digit", `00-${TRACE_ID}-${PARENT_ID}-1`],
    ["something after the flags in version 00", `${SAMPLED}-and-more`],
    ["nothing after the parent-id", `00-${TRACE_ID}-${PARENT_ID}`],
    ["no text", ""],
    ["blanks within", `00 -${TRACE_ID}-${PARENT_ID}-01`],
    ["a hundred kilobytes", `00-${"0a".repeat(50_000)}`],
  ])("W3C Trace Context §3.2.2: with %s in traceparent a new trace begins", async (_, traceparent) => {
    const carried = await carriedOn({ traceparent });
    expect(carried.traceparent).toMatch(VALID);
    expect(traceIdOf(carried)).not.toBe(TRACE_ID);
  });

  test("W3C Trace Context §3.2: with several traceparent fields a new trace begins", async () => {
    const other = SAMPLED.replace("0af", "1af");
    const carried = await carriedOn([
      ["traceparent", SAMPLED],
      ["traceparent", other],
    ]);
    expect(carried.traceparent).toMatch(VALID);
    expect([SAMPLED, other]).not.toContain(carried.traceparent);
    expect([TRACE_ID, TRACE_ID.replace("0af", "1af")]).not.toContain(traceIdOf(carried));
  });

  test.each([`01-${TRACE_ID}-${PARENT_ID}-01`, `cc-${TRACE_ID}-${PARENT_ID}-01-what-comes-later`])(
    "W3C Trace Context §3.2.4: of a later version the known beginning is read, and 00 sent on: %s",
    async (traceparent) => {
      const carried = await carriedOn({ traceparent });
      expect(carried.traceparent).toMatch(VALID);
      expect(traceIdOf(carried)).toBe(TRACE_ID);
    },
  );

  test.each([`01-${TRACE_ID}-${PARENT_ID}-01.x`, `cc-${TRACE_ID}-${PARENT_ID}-012`])(
    "W3C Trace Context §3.2.4: of a later version whose flags are not followed by a dash nothing is taken: %s",
    async (traceparent) => {
      expect(traceIdOf(await carriedOn({ traceparent }))).not.toBe(TRACE_ID);
    },
  );

  test("W3C Trace Context §3.4: a recorded hop keeps the trace-id and puts its own parent-id in", async () => {
    const carried = await carriedOn({ traceparent: SAMPLED });
    const client = spans.take().find(({ name }) => name === "GET");
    expect(carried.traceparent).toBe(`00-${TRACE_ID}-${client?.spanContext().spanId}-01`);
  });

  test("W3C Trace Context §3.4: an unsampled trace goes through as it is: one trace, nothing recorded", async () => {
    expect((await carriedOn({ traceparent: UNSAMPLED })).traceparent).toBe(UNSAMPLED);
    expect(spans.take()).toEqual([]);
  });

  test("W3C Trace Context §3.2.2.5: a trace that begins here and is not recorded says so, and is one all the same", async () => {
    const first = await carriedOn({}, () => false);
    const second = await carriedOn({}, () => false);
    expect(first.traceparent).toMatch(VALID);
    expect(flagsOf(first)).toBe("00");
    expect(traceIdOf(first)).not.toBe(traceIdOf(second));
  });

  test("W3C Trace Context §3.2.2.5.3: flags that are not known are told on as 0, also where nothing is recorded", async () => {
    for (const flags of ["fe", "10", "04", "fc"]) {
      const carried = await carriedOn({ traceparent: `00-${TRACE_ID}-${PARENT_ID}-${flags}` });
      expect(carried.traceparent).toMatch(VALID);
      expect(traceIdOf(carried)).toBe(TRACE_ID);
      expect(Number.parseInt(flagsOf(carried) ?? "", 16) & 1).toBe(0);
    }
    const sampled = await carriedOn({ traceparent: `00-${TRACE_ID}-${PARENT_ID}-ff` });
    expect(sampled.traceparent).toMatch(VALID);
    expect(Number.parseInt(flagsOf(sampled) ?? "", 16) & 1).toBe(1);
  });

  test("W3C Trace Context §3.2.2.5.2: that a trace-id is random is told on with an unsampled one", async () => {
    const random = `00-${TRACE_ID}-${PARENT_ID}-02`;
    expect((await carriedOn({ traceparent: random })).traceparent).toBe(random);
  });

  test("W3C Trace Context §3.2.2: whatever a client sends, the next one gets one valid traceparent", async () => {
    const piece = fc.constantFrom(
      "00",
      "01",
      "ff",
      "-",
      TRACE_ID,
      PARENT_ID,
      "0".repeat(32),
      "A",
      "é",
      ",",
      " ",
    );
    const anything = fc.oneof(
      fc.array(piece, { maxLength: 9 }).map((all) => all.join("")),
      fc.string(),
    );
    const field = anything.map((text) => text.replaceAll(/[^\x20-\x7e\x80-\xff]/g, "").trim());
    await fc.assert(
      fc.asyncProperty(field, field, async (traceparent, tracestate) => {
        const carried = await carriedOn({ traceparent, tracestate });
        expect(carried.traceparent).toMatch(VALID);
      }),
    );
  });
});

describe("tracestate", () => {
  test.each([SAMPLED, UNSAMPLED])(
    "W3C Trace Context §3.3: beside %s members of tracestate are passed on in their order",
    async (traceparent) => {
      const tracestate = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,tenant@vendor=x y";
      expect((await carriedOn({ traceparent, tracestate })).tracestate).toBe(tracestate);
    },
  );

  test("W3C Trace Context §3.3.1.1: several tracestate fields are one list", async () => {
    const { tracestate } = await carriedOn([
      ["traceparent", SAMPLED],
      ["tracestate", "a=1"],
      ["tracestate", "b=2"],
    ]);
    expect(tracestate).toBe("a=1,b=2");
  });

  test("W3C Trace Context §3.3.1.1: empty members of tracestate are taken, and an empty field is not sent on", async () => {
    expect((await carriedOn({ traceparent: SAMPLED, tracestate: "a=1, ,b=2" })).tracestate).toBe("a=1,b=2");
    for (const tracestate of ["", " , ", "no member"]) {
      expect((await carriedOn({ traceparent: UNSAMPLED, tracestate })).tracestate).toBeNull();
    }
  });

  test("W3C Trace Context §3.3.1.1: 32 members of tracestate are passed on, and no more than that", async () => {
    const members = Array.from({ length: 40 }, (_, n) => `k${n}=${n}`);
    const whole = await carriedOn({ traceparent: SAMPLED, tracestate: members.slice(0, 32).join(",") });
    expect(whole.tracestate).toBe(members.slice(0, 32).join(","));
    const cut = await carriedOn({ traceparent: SAMPLED, tracestate: members.join(",") });
    expect(cut.tracestate?.split(",").length).toBeLessThanOrEqual(32);
  });

  test("W3C Trace Context §3.3.1.5: 512 characters of tracestate are passed on", async () => {
    const tracestate = `a=${"x".repeat(250)},b=${"y".repeat(255)}`;
    expect((await carriedOn({ traceparent: SAMPLED, tracestate })).tracestate).toBe(tracestate);
    expect(tracestate.length).toBeGreaterThan(505);
  });

  test.each(["nonsense", `ff-${TRACE_ID}-${PARENT_ID}-01`, undefined])(
    "W3C Trace Context §3.3: beside the traceparent %j a tracestate belongs to no trace and is not sent on",
    async (traceparent) => {
      const headers = { tracestate: "a=1", ...(traceparent && { traceparent }) };
      expect((await carriedOn(headers)).tracestate).toBeNull();
      expect((await carriedOn(headers, () => false)).tracestate).toBeNull();
    },
  );

  test("W3C Trace Context §3.4: where nothing is traced traceparent and tracestate are passed on as they are", async () => {
    const headers = { traceparent: SAMPLED, tracestate: "a=1" };
    const next = tracedUpstream(
      { fetch: async (onward) => Response.json(Object.fromEntries(onward.headers)) },
      { service: "next" },
    );
    trace.disable();
    const answer = await next.fetch(new Request("http://next/", { headers }), 0, ROOT_CONTEXT);
    expect(await answer.json()).toMatchObject(headers);
  });
});
