/** Forgets a data subject: first its key is destroyed, then the log tells all who read it. */
import type { Commands } from "../cqrs/commands.ts";
import { reachingActor } from "../cqrs/reaching-actor.ts";
import type { CommitMetadata } from "../events/commit-metadata.ts";
import { tenantOf, withoutTenant } from "../events/tenant-id.ts";
import type { Failure } from "../http/errors.ts";
import { ok, type Result } from "../result.ts";
import { subjectAggregate } from "./subject.ts";
import type { SubjectKeys } from "./subject-keys.ts";

export interface Forgetting {
  readonly keys: Pick<SubjectKeys, "forget">;
  readonly commands: Pick<Commands, "execute">;
}

export interface Forgotten {
  readonly subject: string;
  /** Of `SubjectForgotten`: a read model that has it holds nothing personal of the subject. */
  readonly position: number;
}

/**
 * Whoever gets no answer repeats it: what was done stays done, and the rest is made up for.
 * @param subject what can name an aggregate; `<tenant>.<subject>` where tenants are kept apart
 * @throws RangeError, and forgets nobody, for metadata of a tenant whose the subject is not: there is no way back
 */
export const forgetSubject = async (
  { keys, commands }: Forgetting,
  subject: string,
  metadata?: CommitMetadata,
): Promise<Result<Forgotten, Failure>> => {
  const tenant = tenantOf(subject);
  if (metadata?.tenant !== undefined && metadata.tenant !== tenant) {
    throw new RangeError(
      `Cannot forget "${subject}" for the tenant "${metadata.tenant}": expected a data subject of its own`,
    );
  }
  const destroyed = await reachingActor(async () => ok(await keys.forget(subject)));
  if (!destroyed.ok) return destroyed;
  const told = await commands.execute({
    type: subjectAggregate.type,
    id: subject,
    command: { subject: withoutTenant(subject) },
    // Ids of events go by it: where others wait or are parked that forget somebody else, no two may be the same.
    commandId: `forget-${subject}`,
    metadata: { ...metadata, ...(tenant !== undefined && { tenant }) },
  });
  return told.ok ? ok({ subject, position: told.value.position }) : told;
};
