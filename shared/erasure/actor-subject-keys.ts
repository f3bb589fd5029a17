/** The SubjectKeys port on Actors: each subject's key in one of a fixed number of them. */
import { fnv1a } from "../cqrs/fnv1a.ts";
import type { Actors } from "../runtime/actor.ts";
import { type SubjectKey, subjectKey } from "./sealed-value.ts";
import type { SubjectKeys } from "./subject-keys.ts";
import { bytesOf, type KeptKey, type SubjectKeysMethods } from "./subject-keys-actor.ts";

/** Fixed for ever: a subject's key is looked for in one Actor alone. A batch of a rebuild is as many calls at most. */
const SHARDS = 16;

export const actorSubjectKeys = (actors: Actors<SubjectKeysMethods>): SubjectKeys => {
  const shardOf = (subject: string) => `shard-${fnv1a(subject) % SHARDS}`;

  const imported = (kept: KeptKey): Promise<SubjectKey> => subjectKey(kept.id, bytesOf(kept));

  return {
    async toWrite(subject) {
      const kept = await actors.named(shardOf(subject)).toWrite({ subject });
      return kept ? imported(kept) : "forgotten";
    },
    async toRead(subjects) {
      const byShard = Map.groupBy(subjects, shardOf);
      const kept = await Promise.all(
        [...byShard].map(([shard, subjects]) => actors.named(shard).toRead({ subjects })),
      );
      return new Map(
        await Promise.all(kept.flat().map(async (one) => [one.subject, await imported(one)] as const)),
      );
    },
    async forget(subject) {
      await actors.named(shardOf(subject)).forget({ subject });
    },
  };
};
