/** Seals the secrets of all revisions anew by the key that seals now, so that an older key can be thrown away. */
import { dottedPath } from "#shared/config/path.ts";
import { type Sealed, type Sealer, SealingError } from "#shared/config/sealing.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import { ok, type Result } from "#shared/result.ts";
import type { DocumentName, Ledger } from "../part.ts";
import { nameOf } from "./document.ts";
import type { DocumentTables, RevisionRow } from "./document-tables.ts";
import { placeOf, sealedOf, secretsOf, storedSecret, withSecrets } from "./secrets.ts";

export interface SecretsRotated {
  /** The key that seals now. */
  readonly key: string;
  readonly resealed: number;
  /** Revisions with secrets that no known key opens: they stay as they are. */
  readonly failed: readonly (DocumentName & { readonly revision: number })[];
  /** Where to go on; absent when all is done. */
  readonly next?: number;
}

/** Revisions of one change of the ledger: at up to 256 KiB each they are in memory together. */
const BATCH = 20;

export const secretRotation = ({
  tables,
  ledger,
  seals,
  alone,
}: {
  tables: DocumentTables;
  ledger: Ledger;
  seals: Sealer;
  alone: <T>(work: () => Promise<T>) => Promise<T>;
}) => {
  const reseal = async (row: RevisionRow): Promise<JsonObject | undefined> => {
    const content = JSON.parse(row.content ?? "{}") as JsonObject;
    const fresh = new Map<string, Sealed>();
    try {
      for (const secret of secretsOf(content)) {
        const path = dottedPath(secret.keys);
        const place = placeOf(nameOf(row), path);
        const sealed = sealedOf(secret);
        const isCurrent = sealed.key === seals.keyId;
        fresh.set(path, isCurrent ? sealed : await seals.seal(await seals.open(sealed, place), place));
      }
    } catch (error) {
      if (error instanceof SealingError) return undefined;
      throw error;
    }
    return withSecrets(content, (_, path) => storedSecret(fresh.get(path) as Sealed));
  };

  const rotateBatch = async (after: number) => {
    const rows = tables.sealedByOthers(seals.keyId, after, BATCH);
    const failed: SecretsRotated["failed"][number][] = [];
    const fresh: { row: (typeof rows)[number]; content: JsonObject }[] = [];
    for (const row of rows) {
      const content = await reseal(row);
      if (content) fresh.push({ row, content });
      else failed.push({ service: row.service, profile: row.profile, revision: row.revision });
    }
    if (fresh.length > 0) {
      await ledger.change<undefined, never>((epoch) => {
        for (const { row, content } of fresh) {
          tables.reseal(row.rowid, row.content ?? "", content);
          // What services and snapshots have is sealed for them by a key that was derived from the older one.
          tables.raise(row, row.revision, epoch);
        }
        return ok(undefined);
      });
    }
    return { last: rows.length < BATCH ? undefined : rows.at(-1)?.rowid, resealed: fresh.length, failed };
  };

  return {
    /** Up to `LIMITS.resealedRevisions` of them; what was promoted or pruned meanwhile does no harm. */
    rotateSecrets: ({ after = 0 }: { after?: number | undefined }): Promise<Result<SecretsRotated, never>> =>
      alone(async () => {
        let next: number | undefined = after;
        let resealed = 0;
        const failed: SecretsRotated["failed"][number][] = [];
        for (let seen = 0; seen < LIMITS.resealedRevisions && next !== undefined; seen += BATCH) {
          const batch = await rotateBatch(next);
          resealed += batch.resealed;
          failed.push(...batch.failed);
          next = batch.last;
        }
        return ok({ key: seals.keyId, resealed, failed, ...(next !== undefined && { next }) });
      }),
  };
};
