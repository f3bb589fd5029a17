import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testActorContext } from "#test/fake/actor-context.ts";
import type { Aggregate } from "../cqrs/aggregate.ts";
import { executeClientCommand } from "../cqrs/client-command.ts";
import { type CommandMethods, commandActor } from "../cqrs/command-actor.ts";
import { commands } from "../cqrs/commands.ts";
import type { DomainEvent } from "../events/event.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { inTenant } from "../events/tenant-id.ts";
import { ok } from "../result.ts";
import { tenantCommands } from "./tenant-commands.ts";

interface Write {
  readonly id: string;
  readonly word: string;
}

/** Keeps the words that it was told, and under which id it was told them. */
const note: Aggregate<readonly string[], Write, DomainEvent> = {
  type: "note",
  initialState: () => [],
  evolve: (words, { data }) => [...words, (data as Write).word],
  decide: ({ id, word }, words) => ok([{ type: "Written", data: { id, word, nth: words.length + 1 } }]),
};

const start = () => {
  const log = memoryEventLog(() => 0);
  const shards = new Map<string, CommandMethods>();
  const actors = {
    named(name: string) {
      const context = testActorContext({ name });
      const standing =
        shards.get(name) ??
        commandActor({
          context,
          log,
          aggregates: { note: note as Aggregate<unknown, object, DomainEvent> },
          clock: () => 0,
          random: () => 0,
          sleep: async () => {},
        }).methods;
      shards.set(name, standing);
      return standing;
    },
  };
  return tenantCommands(commands({ actors, shards: 4 }));
};

interface Asked {
  readonly tenant: string;
  readonly id: string | undefined;
  readonly word: string;
  readonly key: string | undefined;
}

/** One client's view: what it is answered, and what it then finds. */
const serve = async (service: ReturnType<typeof start>, asked: readonly Asked[]) => {
  const drawn = new Map<string, number>();
  const seen: { tenant: string; answer: unknown }[] = [];
  for (const { tenant, id, word, key } of asked) {
    const newId = () => {
      drawn.set(tenant, (drawn.get(tenant) ?? 0) + 1);
      return `new-${drawn.get(tenant)}`;
    };
    const answer = await executeClientCommand(service, {
      type: "note",
      id: id ?? newId,
      command: (target) => ({ id: target, word }),
      operation: ["write"],
      body: { word },
      newCommandId: () => `c-${seen.length}`,
      idempotencyKey: key && `"${key}"`,
      caller: { subject: "somebody", scopes: [], by: "api_key", tenant },
    });
    // The domain, and who asked, know the ids as their tenant does.
    if (answer.ok) for (const { data } of answer.value.events) expect((data as Write).id).not.toContain(".");
    const events = answer.ok ? answer.value.events.map(({ data, version }) => ({ data, version })) : answer;
    const histories = await Promise.all(
      ["a", "b"].map((each) => service.history({ type: "note", id: inTenant(tenant, each) })),
    );
    const words = histories.map((history) =>
      history.ok ? history.value.flatMap((commit) => commit.events.map(({ data }) => data)) : history,
    );
    seen.push({ tenant, answer: { events, words, duplicate: answer.ok && answer.value.duplicate } });
  }
  return seen;
};

const asked = fc.record({
  tenant: fc.constantFrom("acme", "rival"),
  id: fc.constantFrom("a", "b", undefined),
  word: fc.constantFrom("x", "y"),
  key: fc.constantFrom("k1", "k2", undefined),
});

describe("commands of tenants", () => {
  it("answer each tenant what they would answer it alone, whoever else has the same ids and keys", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(asked, { maxLength: 12 }), async (all) => {
        const together = await serve(start(), all);
        for (const tenant of ["acme", "rival"]) {
          const alone = await serve(
            start(),
            all.filter((one) => one.tenant === tenant),
          );
          expect(together.filter((one) => one.tenant === tenant)).toEqual(alone);
        }
      }),
      { numRuns: 60 },
    );
  });

  const write = { type: "note", id: "a", command: { id: "a", word: "x" }, commandId: "c" };

  it("refuse what is nobody's, and what is another one's", async () => {
    const service = start();
    await expect(service.execute(write)).rejects.toThrow("for nobody");
    const once = { ...write, command: () => write.command, key: "k", fingerprint: "f" };
    await expect(service.executeOnce(once)).rejects.toThrow("for nobody");
    const rivals = { ...write, id: "rival.a", metadata: { tenant: "acme" } };
    await expect(service.execute(rivals)).rejects.toThrow('tenant "acme" on "rival.a"');
    await expect(service.history({ type: "note", id: "a" })).rejects.toThrow("in its tenant");
    await expect(service.state({ type: "note", id: "a" })).rejects.toThrow("in its tenant");
  });

  it("of the same id make events of different ones, and are each executed once", async () => {
    const service = start();
    const ids: string[] = [];
    for (const tenant of ["acme", "rival", "acme"]) {
      const done = await service.execute({ ...write, metadata: { tenant } });
      expect(done).toMatchObject({ ok: true, value: { duplicate: ids.length === 2 } });
      if (done.ok) ids.push(...done.value.events.map(({ id }) => id));
    }
    expect(ids).toEqual(["acme.c/0", "rival.c/0", "acme.c/0"]);
    const chain = { ...write, id: "b", commandId: "acme.c/0", metadata: { tenant: "acme" } };
    expect(await service.execute(chain)).toMatchObject({ value: { events: [{ id: "acme.c/0/0" }] } });
  });

  it("of a key are answered with the id as the tenant knows it, the same again", async () => {
    const service = start();
    let drawn = 0;
    const answered: string[] = [];
    for (const id of ["a", () => `new-${drawn++}`, () => `new-${drawn++}`]) {
      const once = { ...write, id, command: () => write.command, fingerprint: "f", key: typeof id };
      const done = await service.executeOnce({ ...once, metadata: { tenant: "acme" } });
      if (done.ok && done.value.execution.ok) answered.push(done.value.id);
    }
    expect(answered).toEqual(["a", expect.stringMatching(/^new-\d+$/), answered[1]]);
  });

  it("take the ids of commits, too, and find the state of those", async () => {
    const service = start();
    const metadata = { tenant: "acme" };
    expect(await service.execute({ ...write, id: "acme.a", metadata })).toMatchObject({ ok: true });
    expect(await service.state({ type: "note", id: "acme.a" })).toMatchObject({ value: { json: '["x"]' } });
    expect(await service.state({ type: "note", id: "rival.a" })).toMatchObject({ value: { json: "[]" } });
  });
});
