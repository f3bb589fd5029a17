/** States a process's behaviour as a test reads best: given histories, when an event, then commands or a refusal. */
import { expect } from "vitest";
import type { AggregateRef, Commit, DomainEvent } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import { err, ok, type Result } from "../result.ts";
import type { CommandRequest } from "./command-actor.ts";
import type { Commands } from "./commands.ts";
import type { Process } from "./process.ts";

export interface Surroundings {
  /** What the process's own aggregates say when they are asked for their history. */
  readonly histories?: readonly (AggregateRef & { readonly events: readonly DomainEvent[] })[];
  /** What every command is answered with; success when absent. */
  readonly refusal?: Failure;
}

type SentCommand = Pick<CommandRequest, "type" | "id" | "command">;

interface Reaction {
  /** The event is done with: exactly these commands are sent, in order. */
  sends(commands: readonly SentCommand[]): Promise<void>;
  /** The event comes again, or is parked, for this reason. */
  refuses(code: string): Promise<void>;
}

/**
 * `reacting(followStock).when(stockReserved).sends([{ type, id, command }])`; for tests only. Events come at least once, so
 * each is handled twice: what is sent again must be the same commands under the same ids.
 */
export const reacting = (create: (commands: Commands) => Process) => {
  const when = (event: DomainEvent, surroundings: Surroundings): Reaction => {
    const { handles } = create(recording(surroundings).commands);
    if (!handles.includes(event.type))
      throw new Error(`Cannot handle "${event.type}": expected one of ${handles.join(", ")}`);
    return {
      async sends(commands) {
        const { result, sent } = await handle(create, event, surroundings);
        expect(result).toMatchObject({ ok: true });
        expect(sent.map(({ type, id, command }) => ({ type, id, command }))).toEqual(commands);
        const again = await handle(create, event, surroundings);
        expect(again.sent, "handled once more").toEqual(sent);
        expect(new Set(sent.map(idOnAggregate)).size, "commands with an id of their own").toBe(sent.length);
      },
      async refuses(code) {
        const { result } = await handle(create, event, surroundings);
        expect(result).toMatchObject({ ok: false, error: { code } });
      },
    };
  };
  return {
    given: (surroundings: Surroundings) => ({ when: (event: DomainEvent) => when(event, surroundings) }),
    when: (event: DomainEvent) => when(event, {}),
  };
};

const idOnAggregate = ({ type, id, commandId }: CommandRequest): string => `${type}/${id}/${commandId}`;

const handle = async (
  create: (commands: Commands) => Process,
  event: DomainEvent,
  surroundings: Surroundings,
): Promise<{ result: Result<unknown, Failure>; sent: readonly CommandRequest[] }> => {
  const { commands, sent } = recording(surroundings);
  const { handle } = create(commands);
  const commit = commitOf({ type: "source", id: "any" }, [event]);
  const [recorded] = commit.events;
  if (!recorded) throw new Error("Cannot handle an event of an empty commit");
  const { signal } = new AbortController();
  return { result: await handle(recorded, commit, signal), sent };
};

const recording = ({ histories = [], refusal }: Surroundings) => {
  const sent: CommandRequest[] = [];
  const commands: Commands = {
    async execute(request) {
      sent.push(request);
      return refusal ? err(refusal) : ok({ position: sent.length, events: [], duplicate: false });
    },
    async executeOnce() {
      throw new Error("Cannot execute a command by a client's key: a process has none");
    },
    async history({ type, id }) {
      const known = histories.find((history) => history.type === type && history.id === id);
      return ok(known ? [commitOf(known, known.events)] : []);
    },
    // By this, whoever wants a state folds the history.
    state: async () => ok({ position: 0, version: 0, json: null, schema: 0 }),
    ready: async () => ok({ position: 0 }),
  };
  return { commands, sent };
};

const commitOf = ({ type, id }: AggregateRef, events: readonly DomainEvent[]): Commit => ({
  aggregate: { type, id },
  position: 1,
  commandId: "cause",
  trace: {},
  metadata: {},
  events: events.map((event, index) => ({
    ...event,
    id: `cause/${index}`,
    time: "2026-01-01T00:00:00.000Z",
    version: index + 1,
  })),
});
