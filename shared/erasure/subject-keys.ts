/**
 * The SubjectKeys port: one key for each data subject, until the subject is forgotten. Deletion has to be seen by the next
 * reader, so a store that is eventually consistent, as Workers KV, is none for it.
 */
import { LIMITS } from "../limits.ts";
import type { Clock } from "../runtime/clock.ts";
import type { SubjectKey } from "./sealed-value.ts";

export interface SubjectKeys {
  /** Its key, made when it has none. @throws ActorUnavailable */
  toWrite(subject: string): Promise<SubjectKey | "forgotten">;
  /** Of those that have one. @throws ActorUnavailable */
  toRead(subjects: readonly string[]): Promise<ReadonlyMap<string, SubjectKey>>;
  /** Destroys the key for ever; there is never another one for the same subject. Repeating it changes nothing. @throws ActorUnavailable */
  forget(subject: string): Promise<void>;
}

export interface CachedSubjectKeys extends SubjectKeys {
  /** For who hears that the subject was forgotten: from now on there is no key here. */
  gone(subject: string): void;
}

interface Entry {
  /** Undefined once the subject was forgotten. */
  readonly key: SubjectKey | undefined;
  /** Epoch ms. */
  readonly until: number;
}

/** Remembers keys for one Actor. Who is not told of a forgetting goes on with a key for `cacheMs` at most. */
export const cachedSubjectKeys = ({
  keys,
  clock,
  max = LIMITS.subjectKeysCached,
  cacheMs = LIMITS.subjectKeyCacheMs,
}: {
  keys: SubjectKeys;
  clock: Clock;
  max?: number;
  cacheMs?: number;
}): CachedSubjectKeys => {
  /** The one asked for last at the end. */
  const entries = new Map<string, Entry>();

  const standing = (subject: string): Entry | undefined => {
    const entry = entries.get(subject);
    return entry && clock() < entry.until ? entry : undefined;
  };

  const set = (subject: string, entry: Entry) => {
    entries.delete(subject);
    entries.set(subject, entry);
    const [oldest] = entries.keys();
    if (entries.size > max && oldest !== undefined) entries.delete(oldest);
  };

  const gone = (subject: string) => set(subject, { key: undefined, until: Number.POSITIVE_INFINITY });

  /** An answer that was under way when the subject was forgotten is not believed. */
  const learn = (subject: string, key: SubjectKey, askedAt: number): SubjectKey | undefined => {
    const before = standing(subject);
    if (before && !before.key) return undefined;
    set(subject, { key, until: askedAt + cacheMs });
    return key;
  };

  return {
    gone,
    async toWrite(subject) {
      const known = standing(subject);
      if (known) return known.key ?? "forgotten";
      const askedAt = clock();
      const answered = await keys.toWrite(subject);
      if (answered === "forgotten") gone(subject);
      return answered === "forgotten" ? answered : (learn(subject, answered, askedAt) ?? "forgotten");
    },
    async toRead(subjects) {
      const found = new Map<string, SubjectKey>();
      const unknown: string[] = [];
      for (const subject of new Set(subjects)) {
        const known = standing(subject);
        if (known?.key) found.set(subject, known.key);
        if (!known) unknown.push(subject);
      }
      if (unknown.length === 0) return found;
      const askedAt = clock();
      for (const [subject, key] of await keys.toRead(unknown)) {
        const learnt = learn(subject, key, askedAt);
        if (learnt) found.set(subject, learnt);
      }
      return found;
    },
    async forget(subject) {
      gone(subject);
      await keys.forget(subject);
    },
  };
};
