/** An EventLog in which personal values stand sealed, each under the key of its data subject. */
import {
  type AggregateRef,
  type Commit,
  type RecordedEvent,
  type WrittenEvent,
  withEvents,
} from "../events/event.ts";
import { type Append, type EventLog, LogUnavailable } from "../events/event-log.ts";
import type { EventTypes } from "../events/event-types.ts";
import { tenantOf } from "../events/tenant-id.ts";
import { err, ok, type Result } from "../result.ts";
import { ActorUnavailable } from "../runtime/actor.ts";
import { type PersonalField, type PersonalFields, personalFieldsOf } from "./personal.ts";
import { personalValues, withValue } from "./personal-values.ts";
import { openValue, type SealedPlace, sealValue } from "./sealed-value.ts";
import { forgottenBy } from "./subject.ts";
import type { CachedSubjectKeys } from "./subject-keys.ts";

export interface ErasableLogOptions {
  /** Of all that the log holds; those without personal fields pass as they are. */
  readonly types: EventTypes;
  /** Absent for who may only read, and reads null. */
  readonly keys?: CachedSubjectKeys | undefined;
  /** Whether personal values are opened on reading; otherwise each is null. */
  readonly opens: boolean;
}

/**
 * What is appended is sealed before it is written; a commit with personal values of a forgotten subject is refused. What is
 * read is opened, and null where the key is gone. To be wrapped by who checks events, so that schemas see clear values:
 * `typedEventLog(erasableLog(log, …), types)`.
 */
export const erasableLog = (log: EventLog, { types, keys, opens }: ErasableLogOptions): EventLog => {
  const fields = personalFieldsOf(types);
  if (fields.size === 0) return log;
  const sealed = commitSealer(fieldsFor(fields), keys);
  const blank = blankCommit(fieldsFor(fields));
  const opened = commitOpener(fieldsFor(fields), keys);

  const readable = async (commits: readonly Commit[]): Promise<Commit[]> => {
    if (keys) for (const subject of forgottenIn(commits)) keys.gone(subject);
    return opens ? opened(commits) : commits.map(blank);
  };

  return {
    ...log,
    async append(commit, until) {
      const ready = await sealed(commit);
      if (!ready.ok) return ready;
      const appended = await log.append(ready.value, until);
      if (appended.ok && keys) for (const subject of forgottenIn([commit])) keys.gone(subject);
      return appended;
    },
    read: async (aggregate, options) => readable(await log.read(aggregate, options)),
    async *tail(options) {
      for await (const commits of log.tail(options)) yield await readable(commits);
    },
  };
};

/** A commit that was just decided, all events in their newest versions, as who may not read personal values sees it. */
export const withoutPersonal = (types: EventTypes): ((commit: Commit) => Commit) => {
  const fields = personalFieldsOf(types);
  if (fields.size === 0) return (commit) => commit;
  // What is decided does not say in which version: that is marked on its way into the log.
  return blankCommit(({ type }) => fields.get(type)?.at(-1) ?? []);
};

const forgottenIn = (
  commits: readonly { readonly aggregate: AggregateRef; readonly events: readonly WrittenEvent[] }[],
): string[] =>
  commits.flatMap((commit) =>
    commit.events.flatMap((event) => {
      const subject = forgottenBy(event);
      return subject === undefined ? [] : [subjectIn(commit, subject)];
    }),
  );

/** Whose keys these are: two tenants may have data subjects of the same name, who are not the same. */
const subjectIn = ({ aggregate }: { readonly aggregate: AggregateRef }, subject: string): string => {
  const tenant = tenantOf(aggregate.id);
  return tenant === undefined ? subject : `${tenant}.${subject}`;
};

type FieldsOf = (event: WrittenEvent) => readonly PersonalField[];

/** Of an event in the version that it was written in. A version that is not known is for who checks events. */
const fieldsFor =
  (fields: PersonalFields): FieldsOf =>
  ({ type, eventVersion = 1 }) =>
    fields.get(type)?.[eventVersion - 1] ?? [];

const blankCommit =
  (fieldsOf: FieldsOf) =>
  (commit: Commit): Commit => {
    const events = commit.events.map((event) => {
      const values = personalValues(event.data, fieldsOf(event));
      if (values.length === 0) return event;
      return { ...event, data: values.reduce((data, { path }) => withValue(data, path, null), event.data) };
    });
    return events.some((event, index) => event !== commit.events[index])
      ? withEvents(commit, events)
      : commit;
  };

const placeOf = (
  { aggregate }: Pick<Commit, "aggregate">,
  { type }: WrittenEvent,
  eventId: string,
  path: readonly string[],
): SealedPlace => ({ aggregate, eventId, type, path });

const commitSealer = (fieldsOf: FieldsOf, keys: CachedSubjectKeys | undefined) => {
  const sealEvent = async (append: Append, event: WrittenEvent, index: number): Promise<WrittenEvent> => {
    let { data } = event;
    for (const { path, value, subject: local } of personalValues(data, fieldsOf(event))) {
      const subject = local === undefined ? undefined : subjectIn(append, local);
      if (!keys || subject === undefined) {
        throw new Error(
          `Cannot write "${path.join(".")}" of an event "${event.type}": expected keys of data subjects, and whose it is`,
        );
      }
      const key = await keys.toWrite(subject);
      if (key === "forgotten") throw new Forgotten(subject);
      const place = placeOf(append, event, `${append.commandId}/${index}`, path);
      data = withValue(data, path, await sealValue(value, key, place));
    }
    return data === event.data ? event : { ...event, data };
  };

  return async (append: Append): Promise<Result<Append, ReturnType<typeof refusalOf>>> => {
    try {
      const events = await Promise.all(append.events.map((event, index) => sealEvent(append, event, index)));
      return ok({ ...append, events });
    } catch (error) {
      return err(refusalOf(error));
    }
  };
};

class Forgotten extends Error {
  constructor(subject: string) {
    super(`Recording something personal of "${subject}": this data subject was forgotten`);
  }
}

const refusalOf = (error: unknown) => {
  if (error instanceof Forgotten) return { code: "forgotten", detail: error.message } as const;
  if (error instanceof ActorUnavailable)
    return { code: "unavailable", detail: "The keys of data subjects cannot be reached" } as const;
  throw error;
};

const commitOpener = (fieldsOf: FieldsOf, keys: CachedSubjectKeys | undefined) => {
  const subjectsOf = (commits: readonly Commit[]): string[] =>
    commits.flatMap((commit) =>
      commit.events.flatMap((event) =>
        personalValues(event.data, fieldsOf(event)).flatMap(({ subject }) =>
          subject === undefined ? [] : subjectIn(commit, subject),
        ),
      ),
    );

  const keysOf = async (commits: readonly Commit[]) => {
    const subjects = [...new Set(subjectsOf(commits))];
    if (!keys || subjects.length === 0) return undefined;
    return keys.toRead(subjects).catch((cause: unknown) => {
      if (!(cause instanceof ActorUnavailable)) throw cause;
      throw new LogUnavailable("The keys of data subjects cannot be reached", { cause });
    });
  };

  type Known = Awaited<ReturnType<typeof keysOf>>;

  const openEvent = async (commit: Commit, event: RecordedEvent, known: Known): Promise<RecordedEvent> => {
    let { data } = event;
    for (const { path, value, subject } of personalValues(data, fieldsOf(event))) {
      const key = subject === undefined ? undefined : known?.get(subjectIn(commit, subject));
      data = withValue(data, path, await openValue(value, key, placeOf(commit, event, event.id, path)));
    }
    return data === event.data ? event : { ...event, data };
  };

  return async (commits: readonly Commit[]): Promise<Commit[]> => {
    const known = await keysOf(commits);
    if (!known) return commits.map(blankCommit(fieldsOf));
    return Promise.all(
      commits.map(async (commit) =>
        withEvents(commit, await Promise.all(commit.events.map((event) => openEvent(commit, event, known)))),
      ),
    );
  };
};
