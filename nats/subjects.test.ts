import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commitSubject, logStream, logSubjects, parseCommitSubject } from "./subjects.ts";

const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

describe("subjects", () => {
  it("name a service's stream and everything in it", () => {
    expect([logStream("orders"), logSubjects("orders")]).toEqual(["log-orders", "log.orders.>"]);
  });

  it("are one for each aggregate, and tell it again", () => {
    fc.assert(
      fc.property(token, token, (type, id) => {
        expect(parseCommitSubject(commitSubject("orders", { type, id }))).toEqual({ type, id });
      }),
    );
  });

  it("are one more token for an aggregate of a tenant, whose whole history is one wildcard", () => {
    fc.assert(
      fc.property(token, token, token, (type, tenant, id) => {
        const aggregate = { type, id: `${tenant}.${id}` };
        expect(commitSubject("orders", aggregate)).toBe(`log.orders.${type}.${tenant}.${id}`);
        expect(parseCommitSubject(commitSubject("orders", aggregate))).toEqual(aggregate);
      }),
    );
  });

  it("are refused for what is not one safe token, however it is made", () => {
    const unsafe = fc
      .string({ unit: "binary" })
      .filter((text) => !/^[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64})?$/.test(text));
    fc.assert(
      fc.property(unsafe, token, (bad, good) => {
        expect(() => commitSubject("orders", { type: good, id: bad })).toThrow(RangeError);
        expect(() => commitSubject("orders", { type: bad, id: good })).toThrow(RangeError);
      }),
    );
  });

  it.each(["", "log.orders", "log.orders.order", "log.orders.order.a.b.c", "other.orders.order.a"])(
    "of another form than a commit's are refused: %j",
    (subject) => {
      expect(() => parseCommitSubject(subject)).toThrow(`"${subject}"`);
    },
  );
});
