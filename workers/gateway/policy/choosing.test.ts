/** Which instance a request goes to, by the client's cookie, by zone, by version, and when some are ejected. */

import { describe, expect, test } from "vitest";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { instance } from "../fake-link.ts";
import { type Behaviour, gatewayInVirtualTime } from "./gateway-in-virtual-time.ts";
import type { WrittenPolicy } from "./policy-schema.ts";

const gateway = (policy: WrittenPolicy, random: () => number = seededRandom(1)) =>
  gatewayInVirtualTime(virtualTime(), policy, random);

const STICKY: WrittenPolicy = { balance: { sticky: { cookie: "at" } } };
const cookieIn = ({ headers }: { readonly headers: Headers }) => headers.get("set-cookie");
const holding = (cookie: string | null) => ({ headers: { cookie: `x=1; ${cookie?.split(";")[0]}` } });

describe("a sticky client", () => {
  test("is told once who has answered, and goes there from then on", async () => {
    const { instances, ask, asked } = gateway(STICKY);
    instances({ a: 200, b: 200, c: 200, d: 200 });
    const cookie = cookieIn(await ask());
    expect(cookie).toMatch(/^at=[0-9a-z]+; Path=\/; HttpOnly; SameSite=Lax$/);
    for (let n = 0; n < 20; n++) expect(cookieIn(await ask(holding(cookie)))).toBeNull();
    expect(new Set(asked).size).toBe(1);
  });

  test("is told anew when another has answered a retry", async () => {
    const { instances, ask, asked, behaviours } = gateway(STICKY);
    instances({ a: 200, b: 200 });
    const cookie = cookieIn(await ask());
    const [first = ""] = asked.splice(0);
    behaviours.set(first, 503);
    const answer = await ask(holding(cookie));
    expect([asked[0], answer.status, answer.text]).toEqual([first, 200, asked[1]]);
    expect(cookieIn(answer)).toMatch(/^at=/);
    expect(cookieIn(answer)).not.toBe(cookie);
    asked.length = 0;
    await ask(holding(cookieIn(answer)));
    expect(asked).toEqual([answer.text]);
  });

  test("is bound to nobody by a failure, nor where there is no choice", async () => {
    const { instances, ask } = gateway(STICKY);
    instances({ a: 500, b: 500 });
    expect(cookieIn(await ask())).toBeNull();
    instances({ a: 200 });
    expect(cookieIn(await ask())).toBeNull();
  });

  test("whose instance is gone, or that made its cookie up, goes to somebody and is told", async () => {
    const { instances, ask } = gateway(STICKY);
    instances({ a: 200, b: 200 });
    for (const value of ["gone", "", "__proto__"]) {
      const answer = await ask(holding(`at=${value}`));
      expect([answer.status, cookieIn(answer)?.slice(0, 3)]).toEqual([200, "at="]);
    }
  });

  test("over https gets a cookie for https alone", async () => {
    const { instances, ask } = gateway(STICKY);
    instances({ a: 200, b: 200 });
    expect(cookieIn(await ask({}, "https://gateway/s/v1/x"))).toMatch(/; Secure$/);
  });
});

describe("zones", () => {
  const zoned = (policy: WrittenPolicy, zone?: string) => {
    const made = gateway({});
    for (const id of ["near1", "near2", "far1", "far2"]) made.behaviours.set(id, 200);
    const each = (id: string) =>
      instance({ id, url: `http://${id}`, zone: id.startsWith("near") ? "FRA" : "IAD" });
    made.link.register("s", ...["near1", "near2", "far1", "far2"].map(each));
    made.configureAll({ policy, ...(zone !== undefined && { zone }) });
    return made;
  };
  const askedBy = async (made: ReturnType<typeof zoned>) => {
    for (let n = 0; n < 40; n++) await made.ask();
    return new Set(made.asked.map((id) => id.slice(0, -1)));
  };

  test("mean nothing unless the policy says so", async () => {
    expect(await askedBy(zoned({}, "FRA"))).toEqual(new Set(["near", "far"]));
  });

  test("mean nothing where the gateway does not know its own", async () => {
    expect(await askedBy(zoned({ zone: "prefer" }))).toEqual(new Set(["near", "far"]));
  });

  test.each<WrittenPolicy["balance"]>(["power_of_two", "weight", "round_robin", { sticky: { cookie: "c" } }])(
    "keep requests by %j in the configured one",
    async (balance) => {
      const made = zoned({ zone: "prefer", ...(balance && { balance }) }, "FRA");
      expect(await askedBy(made)).toEqual(new Set(["near"]));
    },
  );

  test("are left when half of the own one has failed a request", async () => {
    const made = zoned({ zone: "prefer", balance: "weight", outliers: false, breaker: false }, "FRA");
    made.behaviours.set("near1", 503);
    for (let n = 0; n < 10; n++) expect((await made.ask()).status).toBe(200);
    expect(made.asked.some((id) => id.startsWith("far"))).toBe(true);
  });
});

describe("requests for a newer minor version", () => {
  const mixed = (behaviours: Readonly<Record<string, Behaviour>>, policy: WrittenPolicy = {}) => {
    const made = gateway({ retry: false, breaker: false, balance: "weight", ...policy });
    for (const [id, behaviour] of Object.entries(behaviours)) made.behaviours.set(id, behaviour);
    const each = (id: string) =>
      instance({ id, url: `http://${id}`, version: id.startsWith("new") ? "1.4.0" : "1.0.0" });
    made.link.register("s", ...Object.keys(behaviours).map(each));
    return made;
  };
  const NEWER = { headers: { "skerry-version": "1.4" } };
  const OUTLIERS = { outliers: { consecutiveFailures: 3, shareMax: 0.5, panicShare: 0 } };

  test("do not make the gateway forget who is ejected", async () => {
    const { ask, asked } = mixed({ bad: 500, old1: 200, old2: 200, new1: 200, new2: 200 }, OUTLIERS);
    for (let n = 0; n < 60; n++) await ask();
    asked.length = 0;
    for (let n = 0; n < 40; n++) {
      await ask(NEWER);
      await ask();
    }
    expect(asked).not.toContain("bad");
  });

  test("are sent to ejected ones where all that are new enough are ejected", async () => {
    const { ask, asked } = mixed({ old1: 200, old2: 200, old3: 200, new1: 500, new2: 500 }, OUTLIERS);
    for (let n = 0; n < 100; n++) await ask(NEWER);
    asked.length = 0;
    for (let n = 0; n < 20; n++) await ask();
    expect(asked.some((id) => id.startsWith("new"))).toBe(false);
    expect((await ask(NEWER)).status).toBe(500);
  });

  test("teach what the only new one is worth to all others, too", async () => {
    const { ask, asked } = mixed({ old1: 200, old2: 200, new1: 500 }, OUTLIERS);
    await ask();
    for (let n = 0; n < 5; n++) await ask(NEWER);
    asked.length = 0;
    for (let n = 0; n < 20; n++) await ask();
    expect(asked).not.toContain("new1");
  });
});

describe("an instance at a URL that does not answer", () => {
  test("is given up at the deadline, its request aborted", async () => {
    const { instances, ask, seen } = gateway({ deadlineMs: 100 });
    let aborted = 0;
    instances({
      a: (request) =>
        new Promise((_, reject) =>
          request.signal.addEventListener("abort", () => {
            aborted++;
            reject(request.signal.reason);
          }),
        ),
    });
    expect((await ask()).status).toBe(504);
    expect([aborted, seen.length]).toEqual([1, 1]);
  });
});
