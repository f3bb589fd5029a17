import { describe, expect, it } from "vitest";
import type { CommandRequest } from "../cqrs/command-actor.ts";
import { ok } from "../result.ts";
import { type Forgetting, forgetSubject } from "./forget-subject.ts";

const setUp = () => {
  const forgotten: string[] = [];
  const told: CommandRequest[] = [];
  const forgetting: Forgetting = {
    keys: { forget: async (subject) => void forgotten.push(subject) },
    commands: {
      async execute(request) {
        told.push(request);
        return ok({ position: told.length, events: [], duplicate: false });
      },
    },
  };
  return { forgotten, told, forgetting };
};

describe("forgetting", () => {
  it.each([
    ["another one's", "rival.ada"],
    ["nobody's", "ada"],
    ["one that begins like it", "acme2.ada"],
  ])("for a tenant destroys no key of a subject that is %s", async (_, subject) => {
    const { forgotten, told, forgetting } = setUp();
    await expect(forgetSubject(forgetting, subject, { tenant: "acme" })).rejects.toThrow("of its own");
    expect([forgotten, told]).toEqual([[], []]);
  });

  it("for a tenant, or by an operator, is told in the name of the subject's tenant", async () => {
    const { forgotten, told, forgetting } = setUp();
    expect(await forgetSubject(forgetting, "acme.ada", { tenant: "acme", actor: "jwt:ada" })).toMatchObject({
      ok: true,
    });
    await forgetSubject(forgetting, "rival.ada");
    expect(forgotten).toEqual(["acme.ada", "rival.ada"]);
    expect(told.map(({ id, command, metadata }) => [id, command, metadata])).toEqual([
      ["acme.ada", { subject: "ada" }, { tenant: "acme", actor: "jwt:ada" }],
      ["rival.ada", { subject: "ada" }, { tenant: "rival" }],
    ]);
  });

  it("of two subjects is told by two ids, and again by the same: events are waiting and parked by them", async () => {
    const { told, forgetting } = setUp();
    for (const subject of ["ada", "bob", "acme.ada", "rival.ada", "ada"])
      await forgetSubject(forgetting, subject);
    const ids = told.map(({ commandId }) => commandId);
    expect(new Set(ids).size).toBe(4);
    expect(ids[4]).toBe(ids[0]);
  });
});
