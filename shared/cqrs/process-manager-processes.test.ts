import { expect, test } from "vitest";
import type { Commit, RecordedEvent } from "../events/event.ts";
import { LIMITS } from "../limits.ts";
import { ok } from "../result.ts";
import type { Commands } from "./commands.ts";
import { type AnyProcessManager, processManager } from "./process-manager.ts";
import { type HandleEvent, processAggregate } from "./process-manager-aggregate.ts";
import type { ProcessReacted } from "./process-manager-events.ts";
import { managedProcesses } from "./process-manager-processes.ts";

const manager = processManager({
  name: "note",
  service: "trips",
  purpose: "Notes each trip.",
  instanceOf: () => "t",
  initialState: () => null,
  evolve: () => null,
  steps: [
    {
      in: ["start"],
      on: ["trips.TripAsked"],
      to: "start",
      sends: ["First", "Second"].map((name) => ({
        name,
        to: "note",
        command: () => ({ id: "n", command: { type: name } }),
      })),
    },
  ],
}) as AnyProcessManager;

const command = (id: string): HandleEvent => ({
  type: "HandleEvent",
  instance: "t",
  trigger: "trips.TripAsked",
  event: { type: "TripAsked", data: {}, id },
  at: 0,
  settings: undefined,
});

const aggregate = processAggregate(manager);
const decided = (instance: ReturnType<typeof aggregate.initialState>, id: string) => {
  const result = aggregate.decide(command(id), instance);
  if (!result.ok) throw new Error(result.error.code);
  return result.value as ProcessReacted[];
};

/** Its own subscription, and what it sends. */
const own = (whenSent: () => void = () => {}) => {
  const sent: unknown[] = [];
  const commands = {
    async execute({ command }: { command: unknown }) {
      sent.push(command);
      whenSent();
      return ok({ position: 1, events: [], duplicate: false });
    },
  } as unknown as Commands;
  const timeouts = { named: () => ({ plan: async () => ok({ running: 0 }) }) };
  const processes = managedProcesses(manager, { commands, timeouts, clock: () => 0 });
  const [process] = processes;
  if (!process) throw new Error("It has no process");
  const reacted = (type: string): [RecordedEvent, Commit] => {
    const [data] = decided(aggregate.initialState(), "e/0");
    const event = { ...data, id: "e/0/0", time: "2026-01-01T00:00:00.000Z", version: 1 } as RecordedEvent;
    const at = { aggregate: { type, id: "t" }, position: 1, commandId: "e/0" };
    return [event, { ...at, events: [event], trace: {}, metadata: {} }];
  };
  return { processes, process, sent, reacted };
};

test("behind a parked event of an instance the others wait, whichever subscription brings them", () => {
  expect(own().processes.map(({ subscription }) => subscription?.whenParked)).toEqual(["wait", "wait"]);
});

test("a process sends what its own instances decided, and nothing of another process of its service", async () => {
  const { process, sent, reacted } = own();
  const { signal } = new AbortController();
  await process.handle(...reacted("process-other"), signal);
  expect(sent).toEqual([]);
  await process.handle(...reacted("process-note"), signal);
  expect(sent).toEqual([{ type: "First" }, { type: "Second" }]);
});

test("a timeout is of its tenant's instance: what fails of one tenant's holds up no other one's of the same id", async () => {
  const planned: { readonly instance: string }[] = [];
  const commands = { execute: async () => ok({ position: 1, events: [], duplicate: false }) };
  const plan = async ({ start }: { readonly start: readonly { readonly instance: string }[] }) => {
    planned.push(...start);
    return ok({ running: 0 });
  };
  const [process] = managedProcesses(manager, {
    commands: commands as unknown as Commands,
    timeouts: { named: () => ({ plan }) },
    clock: () => 0,
  });
  const [event, commit] = own().reacted("process-note");
  const schedules = [{ timeout: "patience", id: "p", at: "2026-01-01T00:00:00.000Z" }];
  const data = { ...event.data, schedules };
  for (const tenant of ["acme", "rival"]) {
    const aggregate = { ...commit.aggregate, id: `${tenant}.t` };
    const signal = new AbortController().signal;
    await process?.handle({ ...event, data }, { ...commit, aggregate, metadata: { tenant } }, signal);
  }
  expect(planned.map(({ instance }) => instance)).toEqual(["acme.t", "rival.t"]);
});

test("an attempt whose time is over sends nothing more: the next one does", async () => {
  const time = new AbortController();
  const { process, sent, reacted } = own(() => time.abort());
  await expect(process.handle(...reacted("process-note"), time.signal)).rejects.toThrow("aborted");
  expect(sent).toEqual([{ type: "First" }]);
});

test("an instance remembers a bounded number of handled events, the newest", () => {
  let instance = aggregate.initialState();
  for (let n = 0; n <= LIMITS.processHandled; n++) {
    for (const event of decided(instance, `e${n}`)) instance = aggregate.evolve(instance, event);
  }
  expect(instance.handled).toHaveLength(LIMITS.processHandled);
  expect(decided(instance, `e${LIMITS.processHandled}`)).toEqual([]);
});
