import { describe, expect, it } from "vitest";
import { testActorContext } from "#test/fake/actor-context.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { ok } from "../result.ts";
import { executeClientCommand } from "./client-command.ts";
import { commandActor } from "./command-actor.ts";
import { commands } from "./commands.ts";

const note = {
  type: "note",
  initialState: () => 0,
  evolve: (count: number) => count + 1,
  decide: () => ok([{ type: "Noted", data: {} }]),
};

const setUp = () => {
  const log = memoryEventLog();
  const { methods } = commandActor({
    context: testActorContext(),
    log,
    aggregates: { note },
    clock: () => 0,
    random: () => 0,
    sleep: async () => undefined,
  });
  const service = commands({ actors: { named: () => methods }, shards: 1 });
  let ids = 0;
  const write = (idempotencyKey: string | undefined, requestId: string) =>
    executeClientCommand(service, {
      type: "note",
      id: "n1",
      command: () => ({}),
      operation: ["note"],
      body: {},
      newCommandId: () => `command-${++ids}`,
      idempotencyKey,
      requestId,
      caller: { subject: "alice", by: "jwt", scopes: [] },
    });
  const metadata = async () => (await log.read({ type: "note", id: "n1" })).map((commit) => commit.metadata);
  return { write, metadata };
};

describe("a client's command", () => {
  it.each([undefined, '"key-1"'])(
    "leaves in the log who asked and in which request (key %s)",
    async (key) => {
      const { write, metadata } = setUp();
      await write(key, "request-1");
      expect(await metadata()).toEqual([{ correlationId: "request-1", actor: "jwt:alice" }]);
    },
  );

  it("that comes again by its key leaves what the first request said", async () => {
    const { write, metadata } = setUp();
    await write('"key-1"', "request-1");
    expect(await write('"key-1"', "request-2")).toMatchObject({ ok: true, value: { duplicate: true } });
    expect(await metadata()).toEqual([{ correlationId: "request-1", actor: "jwt:alice" }]);
  });
});
