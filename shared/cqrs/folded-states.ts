/** An Actor's aggregates as folded: from memory, else from a snapshot and what came after it, else from the beginning. */
import type { AggregateRef, Commit, DomainEvent } from "../events/event.ts";
import type { EventLog } from "../events/event-log.ts";
import { LIMITS } from "../limits.ts";
import type { ActorContext } from "../runtime/actor.ts";
import type { Clock, Sleep } from "../runtime/clock.ts";
import { inSpan, refuseSpan } from "../telemetry/span.ts";
import type { Aggregate } from "./aggregate.ts";
import { emptyFold, type Folded, foldCommits, foldedCache } from "./folded-cache.ts";
import type { Mutex } from "./mutex.ts";
import { rememberedCommandTable } from "./remembered-commands.ts";
import { decodeSnapshot, encodeSnapshot, type SnapshotLog } from "./snapshot.ts";
import { countLoads } from "./snapshot-metrics.ts";
import { snapshotTable } from "./snapshot-table.ts";

/** One aggregate while somebody asks for it, alone. */
export interface Wanted {
  readonly ref: AggregateRef;
  readonly aggregate: Aggregate<unknown, object, DomainEvent>;
  /** Epoch ms by which reads of the log end. */
  readonly until: number;
}

export interface FoldedStates {
  /** What is in memory; the empty state, of which the log is not asked, when `isNew` and not known. @throws LogUnavailable */
  load(wanted: Wanted, isNew?: boolean): Promise<Folded>;
  /** With everything that the log has now. @throws LogUnavailable */
  catchUp(wanted: Wanted, folded: Folded): Promise<Folded>;
  /** Forgets what is in memory, then as `load`: for one that does not fit to the log. @throws LogUnavailable */
  reload(wanted: Wanted): Promise<Folded>;
  /** With a commit that was just appended to it. */
  add(wanted: Wanted, folded: Folded, commit: Commit): void;
  /** Where a command stands in the log, as far as that is known. */
  positionOf(ref: AggregateRef, folded: Folded, commandId: string): number | undefined;
  /** The same by what is in memory alone. */
  knownPositionOf(ref: AggregateRef, commandId: string): number | undefined;
  /** For when it is not known what the log has: the next one looks. */
  doubt(ref: AggregateRef): void;
  drop(ref: AggregateRef): void;
  /** Writes what is due after the answer: command ids that memory is not to hold, and a snapshot. */
  keepSoon(wanted: Wanted): void;
}

/** What tests make smaller. */
export type FoldBounds = Readonly<
  Record<
    | "rememberedCommands"
    | "commandIdsTogether"
    | "foldSlice"
    | "cachedAggregates"
    | "cachedCommands"
    | "snapshotLogCommands",
    number
  >
>;

export const keyOf = ({ type, id }: AggregateRef): string => `${type}/${id}`;

export const foldedStates = ({
  context: { sql, worked },
  log,
  snapshotLog,
  clock,
  sleep,
  exclusively,
  bounds,
}: {
  context: ActorContext;
  log: EventLog;
  snapshotLog: SnapshotLog | undefined;
  clock: Clock;
  sleep: Sleep;
  /** The one under which all of this is asked, by {@link keyOf}. */
  exclusively: Mutex;
  bounds: FoldBounds;
}): FoldedStates => {
  const { rememberedCommands: max, foldSlice } = bounds;
  const cache = foldedCache({ aggregatesMax: bounds.cachedAggregates, commandsMax: bounds.cachedCommands });
  const snapshots = snapshotTable(sql);
  const spilled = rememberedCommandTable(sql, clock);
  const counts = countLoads();
  const keeping = new Set<string>();

  const fold = ({ aggregate }: Wanted, folded: Folded, commits: readonly Commit[]) =>
    foldCommits(aggregate, folded, commits, { max, since: clock() - LIMITS.commandIdMs });

  const readSlice = ({ ref, until }: Wanted, after: number) =>
    log.read(ref, { after, most: foldSlice, until });

  /** Keeps what is folded slice by slice: who runs out of time is followed by somebody who has less to read. */
  const foldSliceOf = (wanted: Wanted, from: Folded, commits: readonly Commit[], behind: boolean) => {
    const key = keyOf(wanted.ref);
    const folded = { ...fold(wanted, from, commits), behind };
    if (behind) spilled.spill(key, folded.commands, max);
    cache.set(key, folded);
    return folded;
  };

  const readOn = async (wanted: Wanted, from: Folded): Promise<Folded> => {
    for (let folded = from; ; ) {
      const commits = await readSlice(wanted, folded.position);
      folded = foldSliceOf(wanted, folded, commits, commits.length === foldSlice);
      if (!folded.behind) return folded;
    }
  };

  /** Undefined for a snapshot that is void, and for one that is not of the history that the log has. */
  const resume = async (wanted: Wanted, text: string): Promise<Folded | undefined> => {
    const saved = decodeSnapshot(wanted.aggregate, text);
    if (!saved) return undefined;
    const commits = await readSlice(wanted, saved.position - 1);
    const [last] = commits;
    const fits =
      last?.position === saved.position &&
      last.commandId === saved.commandId &&
      last.events.at(-1)?.version === saved.version;
    if (!fits) {
      snapshots.drop(keyOf(wanted.ref));
      spilled.forget(keyOf(wanted.ref));
      return undefined;
    }
    const folded = foldSliceOf(wanted, saved, commits.slice(1), commits.length === foldSlice);
    return folded.behind ? readOn(wanted, folded) : folded;
  };

  const inLog = ({ aggregate }: Wanted) => (aggregate.snapshot?.inLog ? snapshotLog : undefined);

  const loadFresh = async (wanted: Wanted): Promise<Folded> => {
    const { aggregate, ref } = wanted;
    const own = aggregate.snapshot && snapshots.get(keyOf(ref));
    const fromOwn = own === undefined ? undefined : await resume(wanted, own);
    if (fromOwn) return counts.loaded("snapshot", fromOwn);
    const others = await inLog(wanted)
      ?.read(ref)
      .catch(() => undefined);
    const fromLog = others === undefined ? undefined : await resume(wanted, others);
    if (fromLog) return counts.loaded("log_snapshot", fromLog);
    return counts.loaded("history", await readOn(wanted, emptyFold(aggregate)));
  };

  const load: FoldedStates["load"] = async (wanted, isNew = false) => {
    const known = cache.get(keyOf(wanted.ref));
    if (known?.behind) return readOn(wanted, known);
    if (known) return counts.hit(known);
    return isNew ? emptyFold(wanted.aggregate) : loadFresh(wanted);
  };

  const snapshotDue = ({ aggregate }: Wanted, { version, savedVersion }: Folded) =>
    aggregate.snapshot !== undefined && version - savedVersion >= aggregate.snapshot.every;

  const isDue = (wanted: Wanted, folded: Folded) =>
    snapshotDue(wanted, folded) || folded.commands.newest.size > max + bounds.commandIdsTogether;

  /** Of one fold, at once, so that state, position and ids belong together. Returns what is to stand on the NATS server. */
  const keep = (wanted: Wanted): string | undefined => {
    const key = keyOf(wanted.ref);
    const folded = cache.get(key);
    if (!folded || !isDue(wanted, folded)) return undefined;
    spilled.spill(key, folded.commands, max);
    // Also when it cannot be kept: the next try is as far away as the next snapshot.
    const saved = snapshotDue(wanted, folded);
    cache.set(key, saved ? { ...folded, savedVersion: folded.version } : folded);
    return saved ? save(wanted, folded) : undefined;
  };

  const save = (wanted: Wanted, folded: Folded): string | undefined => {
    const { ref, aggregate } = wanted;
    const text = encodeSnapshot(aggregate, folded);
    if (text === undefined) {
      throw new TypeError(
        `Cannot keep a snapshot of "${keyOf(ref)}": its state is not JSON, expected \`encode\``,
      );
    }
    if (!snapshots.put(keyOf(ref), text)) {
      throw new RangeError(
        `Cannot keep a snapshot of "${keyOf(ref)}": expected at most ${LIMITS.snapshotBytes} bytes`,
      );
    }
    if (!inLog(wanted)) return undefined;
    const others = spilled.young(keyOf(ref), bounds.snapshotLogCommands + 1);
    // With some ids missing it would let a command be executed twice; the one before stays as true as it was.
    return others.length > bounds.snapshotLogCommands ? undefined : encodeSnapshot(aggregate, folded, others);
  };

  const keepNow = (wanted: Wanted) =>
    inSpan(`keep ${wanted.ref.type}`, {}, async (span) => {
      const text = await exclusively(keyOf(wanted.ref), async () => keep(wanted));
      if (text === undefined) return;
      await snapshotLog
        ?.write(wanted.ref, text)
        .catch((error: Error) => refuseSpan(span, { code: error.name, detail: error.message }));
    });

  const positionOf: FoldedStates["positionOf"] = (ref, { commands }, commandId) => {
    const known = commands.newest.get(commandId);
    if (known) return known[1];
    const mayBeSpilled = commands.spilledUntil >= clock() - LIMITS.commandIdMs;
    return mayBeSpilled ? spilled.find(keyOf(ref), commandId) : undefined;
  };

  return {
    load,
    catchUp: (wanted, folded) => (folded.position === 0 ? loadFresh(wanted) : readOn(wanted, folded)),
    reload(wanted) {
      cache.drop(keyOf(wanted.ref));
      return loadFresh(wanted);
    },
    add: (wanted, folded, commit) =>
      cache.set(keyOf(wanted.ref), { ...fold(wanted, folded, [commit]), behind: false }),
    positionOf,
    knownPositionOf(ref, commandId) {
      const folded = cache.get(keyOf(ref));
      return folded && positionOf(ref, folded, commandId);
    },
    doubt(ref) {
      const folded = cache.get(keyOf(ref));
      if (folded) cache.set(keyOf(ref), { ...folded, behind: true });
    },
    drop: (ref) => cache.drop(keyOf(ref)),
    keepSoon(wanted) {
      const key = keyOf(wanted.ref);
      const folded = cache.get(key);
      if (!folded || keeping.has(key) || !isDue(wanted, folded)) return;
      keeping.add(key);
      void sleep(0)
        .then(() => keepNow(wanted))
        // The span says what failed: nobody waits for it, and what was not kept is folded again.
        .catch(() => undefined)
        .finally(() => {
          keeping.delete(key);
          worked();
        });
    },
  };
};
