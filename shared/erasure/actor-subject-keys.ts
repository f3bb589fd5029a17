/** The SubjectKeys port on Actors: each subject's key in one of a fixed number of them. */
import { bounded } from "../control/bounded.ts";
import { fnv1a } from "../cqrs/fnv1a.ts";
import { LIMITS } from "../limits.ts";
import { type Actors, ActorUnavailable } from "../runtime/actor.ts";
import { type Sleep, sleep as systemSleep } from "../runtime/clock.ts";
import { type SubjectKey, subjectKey } from "./sealed-value.ts";
import type { SubjectKeys } from "./subject-keys.ts";
import { bytesOf, type KeptKey, type SubjectKeysMethods } from "./subject-keys-actor.ts";

/** Fixed for ever: a subject's key is looked for in one Actor alone. A batch of a rebuild is as many calls at most. */
const SHARDS = 16;

/** Each call has {@link LIMITS.subjectKeysMs}; then it is not known whether it did what it was asked to. */
export const actorSubjectKeys = (
  actors: Actors<SubjectKeysMethods>,
  { sleep = systemSleep }: { sleep?: Sleep } = {},
): SubjectKeys => {
  const shardOf = (subject: string) => `shard-${fnv1a(subject) % SHARDS}`;

  const ask = async <T>(shard: string, call: (keys: SubjectKeysMethods) => Promise<T>): Promise<T> => {
    const ms = LIMITS.subjectKeysMs;
    let over: AbortSignal | undefined;
    try {
      return await bounded({ ms, sleep }, (signal) => {
        over = signal;
        return call(actors.named(shard));
      });
    } catch (error) {
      if (!over?.aborted || error !== over.reason) throw error;
      throw new ActorUnavailable(`Asking "${shard}" of the keys: expected an answer within ${ms} ms`);
    }
  };

  const imported = (kept: KeptKey): Promise<SubjectKey> => subjectKey(kept.id, bytesOf(kept));

  return {
    async toWrite(subject) {
      const kept = await ask(shardOf(subject), (keys) => keys.toWrite({ subject }));
      return kept ? imported(kept) : "forgotten";
    },
    async toRead(subjects) {
      const byShard = Map.groupBy(subjects, shardOf);
      const kept = await Promise.all(
        [...byShard].map(([shard, subjects]) => ask(shard, (keys) => keys.toRead({ subjects }))),
      );
      return new Map(
        await Promise.all(kept.flat().map(async (one) => [one.subject, await imported(one)] as const)),
      );
    },
    async forget(subject) {
      await ask(shardOf(subject), (keys) => keys.forget({ subject }));
    },
  };
};
