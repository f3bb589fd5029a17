/** What a commit says of where it comes from, beside its events and its trace. */
import { LIMITS } from "../limits.ts";
import type { AggregateRef, Commit, RecordedEvent } from "./event.ts";
import { tenantOf } from "./tenant-id.ts";

export interface CommitMetadata {
  /** Id of the event, or of the command, that asked for it. */
  readonly causationId?: string;
  /** What the first of a chain began with: a client's request, or else its trace. */
  readonly correlationId?: string;
  /** Who asked for it, and how that was found out; absent where no caller did. */
  readonly actor?: string;
  /** Whose it is, where a service keeps tenants apart. */
  readonly tenant?: string;
}

export const METADATA_FIELDS = ["causationId", "correlationId", "actor", "tenant"] as const;

/** Printable ASCII without space at its ends: what every header between here and the log keeps as it is. */
const SAFE = /^[!-~](?:[ -~]*[!-~])?$/;

const isMetadataValue = (value: string): boolean =>
  value.length <= LIMITS.metadataCharacters && SAFE.test(value);

/** @throws RangeError for a value that is empty, too long, or would not come back from a header as it was */
export const assertMetadata = (metadata: CommitMetadata): void => {
  for (const field of METADATA_FIELDS) {
    const value = metadata[field];
    if (value === undefined || isMetadataValue(value)) continue;
    throw new RangeError(
      `Cannot write a commit with ${field} "${value.slice(0, 80)}": expected 1 to ${LIMITS.metadataCharacters} characters of printable ASCII, no space at the ends`,
    );
  }
};

/**
 * What began in one tenant ends in no other one's history, whatever went wrong between.
 * @throws RangeError for an aggregate of a tenant that is not the metadata's
 */
export const assertTenant = ({ type, id }: AggregateRef, { tenant }: CommitMetadata): void => {
  const owner = tenantOf(id);
  if (owner === undefined || owner === tenant) return;
  throw new RangeError(
    `Cannot write to "${type}/${id}" for the tenant "${tenant ?? ""}": expected its own, "${owner}"`,
  );
};

/** The same text as a value of metadata: what is not safe in a header percent-encoded, what is too long cut. */
export const metadataValue = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[^!-$&-~]/gu, encodeURIComponent)
    .slice(0, LIMITS.metadataCharacters);

/** Metadata of a command that a process sends because of an event: the chain goes on, in the same tenant. */
export const causedBy = (
  event: Pick<RecordedEvent, "id">,
  commit: Pick<Commit, "metadata">,
): CommitMetadata => {
  // What was parked before commits had metadata has none.
  const { correlationId, tenant } = commit.metadata ?? {};
  return {
    causationId: event.id,
    ...(correlationId !== undefined && { correlationId }),
    ...(tenant !== undefined && { tenant }),
  };
};
