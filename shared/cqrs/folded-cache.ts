/** Aggregates as folded from the log, a bounded number of them, least recently used out first. */
import type { Commit, DomainEvent } from "../events/event.ts";
import { LIMITS } from "../limits.ts";
import type { Aggregate } from "./aggregate.ts";
import { type RememberedCommands, remember, rememberNone } from "./remembered-commands.ts";

export interface Folded<State = unknown> {
  readonly state: State;
  /** Of the last commit; 0 for an aggregate without history. */
  readonly position: number;
  /** Of the last event. */
  readonly version: number;
  /** Of the last commit; empty for an aggregate without history. */
  readonly commandId: string;
  readonly commands: RememberedCommands;
  /** `version` of the last snapshot; 0 without one. */
  readonly savedVersion: number;
  /** The log may well have more: not to be decided on before that was read. */
  readonly behind: boolean;
}

export const emptyFold = <State>(aggregate: Aggregate<State, object, DomainEvent>): Folded<State> => ({
  state: aggregate.initialState(),
  position: 0,
  version: 0,
  commandId: "",
  commands: rememberNone(),
  savedVersion: 0,
  behind: false,
});

/**
 * Takes over `folded.commands`: the older value is not to be used any more.
 * @param bounds of the command ids: see {@link remember}
 */
export const foldCommits = <State, Event extends DomainEvent>(
  aggregate: Aggregate<State, object, Event>,
  folded: Folded<State>,
  commits: readonly Commit<Event>[],
  bounds: { max: number; since: number },
): Folded<State> => {
  let { state, position, version, commandId } = folded;
  for (const commit of commits) {
    for (const event of commit.events) {
      state = aggregate.evolve(state, event);
      version = event.version;
    }
    position = commit.position;
    commandId = commit.commandId;
    remember(folded.commands, [commandId, position, timeOf(commit)], bounds);
  }
  return { ...folded, state, position, version, commandId };
};

const timeOf = ({ events }: Commit): number => Date.parse(events[0]?.time ?? "") || 0;

export interface FoldedCache {
  get(key: string): Folded | undefined;
  set(key: string, folded: Folded): void;
  drop(key: string): void;
}

/** Bounded by aggregates and by the command ids that they remember: an aggregate with many commands weighs more. */
export const foldedCache = ({
  aggregatesMax = LIMITS.cachedAggregates,
  commandsMax = LIMITS.cachedCommands,
}: {
  aggregatesMax?: number;
  commandsMax?: number;
} = {}): FoldedCache => {
  /** In the order of use. */
  const entries = new Map<string, { folded: Folded; commands: number }>();
  let commands = 0;

  const drop = (key: string) => {
    commands -= entries.get(key)?.commands ?? 0;
    entries.delete(key);
  };

  const add = (key: string, folded: Folded) => {
    const { size } = folded.commands.newest;
    entries.set(key, { folded, commands: size });
    commands += size;
  };

  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.folded;
    },
    set(key, folded) {
      drop(key);
      add(key, folded);
      for (const oldest of entries.keys()) {
        if (oldest === key || (entries.size <= aggregatesMax && commands <= commandsMax)) return;
        drop(oldest);
      }
    },
    drop,
  };
};
