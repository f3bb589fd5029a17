/** One run of a process manager: its real Actors on logs in memory in virtual time, which die and are answered as it is chosen. */
import { type Aggregates, type CommandMethods, commandActor } from "#shared/cqrs/command-actor.ts";
import type { Commands } from "#shared/cqrs/commands.ts";
import type { ParkedEvent } from "#shared/cqrs/parking.ts";
import type { Process } from "#shared/cqrs/process.ts";
import { processActor } from "#shared/cqrs/process-actor.ts";
import type { AnyProcessManager } from "#shared/cqrs/process-manager.ts";
import { managedProcesses, processAggregates } from "#shared/cqrs/process-manager-processes.ts";
import { reachingActor } from "#shared/cqrs/reaching-actor.ts";
import {
  isTimeoutsProcess,
  type TimeoutPlan,
  type TimeoutsMethods,
  timeoutsActor,
} from "#shared/cqrs/timeouts-actor.ts";
import type { Commit } from "#shared/events/event.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import { memoryEventLog } from "#shared/events/memory-event-log.ts";
import type { Failure } from "#shared/http/errors.ts";
import { err, type Result } from "#shared/result.ts";
import { ActorUnavailable } from "#shared/runtime/actor.ts";
import { type TestActorContext, testActorContext } from "#test/fake/actor-context.ts";
import { type VirtualTime, virtualTime } from "#test/fake/virtual-time.ts";
import type { Choose } from "./choices.ts";

export interface ProcessRun {
  readonly time: VirtualTime;
  readonly own: EventLog;
  readonly others: EventLog;
  readonly execute: Commands["execute"];
  /** Everything that stands in the own log. */
  commits(): Promise<Commit[]>;
  /** From now on nothing goes wrong any more. */
  heal(): void;
  parked(): Promise<readonly ParkedEvent[]>;
  /** Handles a parked event of one of its subscriptions once more. */
  replay(process: string, id: string): Promise<Result<unknown, Failure>>;
}

export interface ProcessRunOptions {
  readonly choose: Choose;
  /** How many things may go wrong. */
  readonly faults: number;
  readonly manager: AnyProcessManager;
  /** The service whose log it follows beside its own. */
  readonly follows: string;
  /** Those that it commands. */
  readonly aggregates: Aggregates;
  /** How the process and its clients come at the commands; as they are when absent. */
  readonly scoped?: (commands: Commands) => Commands;
}

/** One in so many occasions for something to go wrong is taken. */
const RARE = 12;
/** Of what happens seldom itself. */
const LESS_RARE = 3;
const forEver = () => new Promise<never>(() => undefined);

export const startProcess = async ({
  choose,
  faults,
  manager,
  follows,
  aggregates,
  scoped = (commands) => commands,
}: ProcessRunOptions): Promise<ProcessRun> => {
  const time = virtualTime();
  let left = faults;
  const goesWrong = (rare = RARE): boolean => {
    if (left === 0 || choose(rare) > 0) return false;
    left--;
    return true;
  };
  const logs = { own: memoryEventLog(time.clock), others: memoryEventLog(time.clock) };
  const commander = mortalCommander({
    aggregates: { ...processAggregates(manager), ...aggregates },
    log: lossyLog(logs.own, goesWrong, choose),
    time,
    goesWrong,
    choose,
  });
  const ask = <T>(method: (methods: CommandMethods) => Promise<Result<T, Failure>>) =>
    reachingActor(() => commander(method));

  const actors = new Map<string, MortalProcess>();
  /** The process as one incarnation of its Actor runs it: what has died does nothing more. */
  const incarnated = (name: string, context: TestActorContext): Process => {
    const survive = async <T>(work: () => Promise<T>): Promise<T> => {
      if (!context.alive()) return forEver();
      const dies = goesWrong();
      // Before what it is about to do, or after.
      if (dies && choose(2) === 0) return die(name);
      const answer = await work();
      if (dies && context.alive()) return die(name);
      return context.alive() ? answer : forEver();
    };
    const asked = <T>(method: Parameters<typeof ask<T>>[0]) => survive(() => ask(method));
    const processes = managedProcesses(manager, {
      clock: time.clock,
      timeouts: {
        named: (timeouts) => ({
          plan: (plan) => survive(() => planned(actors.get(timeouts) ?? unreachable(), plan)),
        }),
      },
      commands: scoped({
        ...ASKED_BY_NOBODY,
        execute: (request) => asked((methods) => methods.execute(request)) as never,
        state: (ref) => asked((methods) => methods.state(ref)),
        history: (ref) => asked((methods) => methods.history(ref)),
      }),
    });
    const process = processes.find((candidate) => candidate.name === name) ?? unreachable();
    return {
      ...process,
      async handle(event, commit, signal) {
        if (!context.alive()) return forEver();
        const first = await process.handle(event, commit, signal);
        // A second time, as after a crash: the same again must change nothing.
        return first.ok && goesWrong() ? process.handle(event, commit, signal) : first;
      },
    };
  };
  const planned = async (actor: MortalProcess, plan: TimeoutPlan) => {
    const isLost = goesWrong(LESS_RARE);
    // The call does not arrive, or its answer does not.
    if (isLost && choose(2) === 0) return unreachable();
    const answer = await actor.methods().plan?.(plan);
    return answer && !isLost ? answer : unreachable();
  };
  const die = async (name: string): Promise<never> => {
    await actors.get(name)?.crash();
    return forEver();
  };
  for (const name of [`${manager.name}-timeouts`, `${manager.name}-${follows}`, manager.name]) {
    const log = name.endsWith(`-${follows}`) ? logs.others : logs.own;
    const actor = mortalProcess({ time, log, incarnated: (context) => incarnated(name, context) });
    actors.set(name, actor);
    await actor.begin();
  }

  return {
    time,
    own: logs.own,
    others: logs.others,
    execute: scoped({
      ...ASKED_BY_NOBODY,
      execute: (request) => ask((methods) => methods.execute(request)) as never,
    }).execute,
    async commits() {
      const end = new AbortController();
      const last = await logs.own.lastPosition();
      if (last === 0) return [];
      for await (const batch of logs.own.tail({ after: 0, batchMax: last, signal: end.signal }))
        return [...batch];
      return [];
    },
    heal() {
      left = 0;
    },
    async parked() {
      const pages = [...actors.values()].map((actor) => actor.methods().parked?.({ limit: 100 }));
      return (await Promise.all(pages)).flatMap((page) => page ?? []);
    },
    replay: async (process, id) => (await actors.get(process)?.methods().replay?.({ id })) ?? unreachable(),
  };
};

function unreachable(): never {
  throw new ActorUnavailable("No such Actor");
}

const ASKED_BY_NOBODY: Commands = {
  execute: unreachable,
  executeOnce: unreachable,
  state: unreachable,
  history: unreachable,
  ready: unreachable,
};

/** Answers sometimes that it is not known whether a commit was written: it was, or it was not. */
const lossyLog = (log: EventLog, goesWrong: () => boolean, choose: Choose): EventLog => ({
  ...log,
  async append(append) {
    if (!goesWrong()) return log.append(append);
    if (choose(2) === 0) await log.append(append);
    return err({ code: "unavailable", detail: "The answer was lost" });
  },
});

const mortalCommander = ({
  aggregates,
  log,
  time,
  goesWrong,
  choose,
}: {
  aggregates: Aggregates;
  log: EventLog;
  time: VirtualTime;
  goesWrong: () => boolean;
  choose: Choose;
}) => {
  const begin = (context: TestActorContext) => {
    const { clock } = time;
    const { sleep } = context;
    return { context, ...commandActor({ context, log, aggregates, clock, random: () => 0.5, sleep }) };
  };
  let actor = begin(testActorContext({ name: "shard-0", time }));
  return async <T>(method: (methods: CommandMethods) => Promise<T>): Promise<T> => {
    const { context, methods } = actor;
    const answer = method(methods);
    if (!goesWrong()) return answer;
    // In the midst of it, or after it is done; what it has sent to the log arrives.
    if (choose(2) === 0) await answer;
    else answer.catch(() => undefined);
    context.die();
    actor = begin(context.successor());
    throw new ActorUnavailable("It died");
  };
};

type MortalProcess = ReturnType<typeof mortalProcess>;

/** A process in an Actor that can be killed; the next one goes on with its SQLite. */
const mortalProcess = ({
  time,
  log,
  incarnated,
}: {
  time: VirtualTime;
  log: EventLog;
  incarnated: (context: TestActorContext) => Process;
}) => {
  let context = testActorContext({ time });
  let methods: Partial<TimeoutsMethods> = {};

  const begin = async () => {
    const process = incarnated(context);
    const runtime = { context, clock: time.clock, random: () => 0.5, sleep: context.sleep };
    const actor = isTimeoutsProcess(process)
      ? timeoutsActor({ process, ...runtime })
      : processActor({ process, log, ...runtime });
    methods = actor.methods;
    context.onAlarm(actor.alarm);
    await actor.methods.wake({});
  };
  return {
    begin,
    crash() {
      context.die();
      context = context.successor();
      return begin();
    },
    methods: () => methods,
  };
};
