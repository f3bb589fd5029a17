/** Aggregates as folded from the log, a bounded number of them, least recently used out first. */
import type { Commit, DomainEvent } from "../events/event.ts";
import { LIMITS } from "../limits.ts";
import type { Aggregate } from "./aggregate.ts";

export interface Folded<State = unknown> {
  readonly state: State;
  /** Of the last commit; 0 for an aggregate without history. */
  readonly position: number;
  readonly version: number;
  /** Position by command id, of the newest `LIMITS.rememberedCommands` commits. */
  readonly commands: Map<string, number>;
}

export const emptyFold = <State>(aggregate: Aggregate<State, object, DomainEvent>): Folded<State> => ({
  state: aggregate.initialState(),
  position: 0,
  version: 0,
  commands: new Map(),
});

/** Takes over `folded.commands`: the older value is not to be used any more. */
export const foldCommits = <State, Event extends DomainEvent>(
  aggregate: Aggregate<State, object, Event>,
  folded: Folded<State>,
  commits: readonly Commit<Event>[],
): Folded<State> => {
  let { state, position, version } = folded;
  const { commands } = folded;
  for (const commit of commits) {
    for (const event of commit.events) {
      state = aggregate.evolve(state, event);
      version = event.version;
    }
    position = commit.position;
    commands.set(commit.commandId, commit.position);
    if (commands.size > LIMITS.rememberedCommands) {
      for (const oldest of commands.keys()) {
        commands.delete(oldest);
        break;
      }
    }
  }
  return { state, position, version, commands };
};

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
    entries.set(key, { folded, commands: folded.commands.size });
    commands += folded.commands.size;
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
