import { expect, it } from "vitest";
import { ok } from "../result.ts";
import type { Commands } from "./commands.ts";
import type { Process } from "./process.ts";
import { reacting } from "./specification-reacting.ts";

const happened = { type: "Happened", data: { id: "a" } };

const telling =
  (commandIds: readonly (() => string)[]) =>
  (commands: Commands): Process => ({
    name: "tell",
    source: "source",
    handles: ["Happened"],
    async handle() {
      for (const commandId of commandIds) {
        const told = await commands.execute({ type: "ear", id: "a", command: {}, commandId: commandId() });
        if (!told.ok) return told;
      }
      return ok(undefined);
    },
  });
const command = { type: "ear", id: "a", command: {} };

it("what a process sends is held to the commands", async () => {
  const { when } = reacting(telling([() => "c"]));
  await when(happened).sends([command]);
  await expect(when(happened).sends([])).rejects.toThrow();
  await expect(when(happened).refuses("conflict")).rejects.toThrow();
});

it("a process whose commands have other ids the second time is found out", async () => {
  let n = 0;
  const { when } = reacting(telling([() => `c${++n}`]));
  await expect(when(happened).sends([command])).rejects.toThrow("handled once more");
});

it("a process that sends two commands to one aggregate under one id is found out", async () => {
  const { when } = reacting(telling([() => "c", () => "c"]));
  await expect(when(happened).sends([command, command])).rejects.toThrow("an id of their own");
});

it("a process finds the histories that it is given, and the refusal", async () => {
  const asking = (commands: Commands): Process => ({
    ...telling([])(commands),
    async handle() {
      const history = await commands.history({ type: "ear", id: "a" });
      const known = history.ok ? history.value.flatMap(({ events }) => events.map(({ type }) => type)) : [];
      return commands.execute({ type: "ear", id: "a", command: { known }, commandId: "c" });
    },
  });
  const histories = [{ type: "ear", id: "a", events: [{ type: "Heard", data: {} }] }];
  const { given } = reacting(asking);
  await given({ histories })
    .when(happened)
    .sends([{ ...command, command: { known: ["Heard"] } }]);
  await given({ refusal: { code: "conflict", detail: "" } })
    .when(happened)
    .refuses("conflict");
});

it("an event that the process does not handle is no specification of it", () =>
  expect(() => reacting(telling([])).when({ type: "Other", data: {} })).toThrow('Cannot handle "Other"'));
