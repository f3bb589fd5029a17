/** Keeps keys of data subjects in its own SQLite, where a key that was destroyed is gone for the next who asks. */
import type { Sealed, Sealer } from "../config/sealing.ts";
import { decodeBase64url, encodeBase64url } from "../http/base64url.ts";
import type { ActorContext, ActorLogic } from "../runtime/actor.ts";
import { type Clock, rfc3339 } from "../runtime/clock.ts";
import { KEY_BYTES } from "./sealed-value.ts";

/** A key as it travels between Actors. */
export interface KeptKey {
  readonly subject: string;
  readonly id: string;
  /** 32 bytes, base64url. */
  readonly bytes: string;
}

export type SubjectKeysMethods = {
  /** The subject's key, a new one when it has none; null once it was forgotten. */
  toWrite(input: { subject: string }): Promise<KeptKey | null>;
  /** Of those that have one. */
  toRead(input: { subjects: readonly string[] }): Promise<KeptKey[]>;
  /** Destroys the key, and holds that there is never another. */
  forget(input: { subject: string }): Promise<{ forgottenAt: string }>;
};

interface Columns {
  [column: string]: string | null;
  subject: string;
  id: string | null;
  key: string | null;
  forgotten_at: string | null;
}

/** @param options.sealer seals what stands in the SQLite; without one a key stands there as it is */
export const subjectKeysActor = ({
  context: { sql },
  sealer,
  clock,
}: {
  context: ActorContext;
  sealer: Pick<Sealer, "seal" | "open"> | undefined;
  clock: Clock;
}): ActorLogic<SubjectKeysMethods> => {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS subject_keys (subject TEXT PRIMARY KEY, id TEXT, key TEXT, forgotten_at TEXT) WITHOUT ROWID",
  );

  const rowOf = (subject: string): Columns | undefined =>
    sql.exec<Columns>(
      "SELECT subject, id, key, forgotten_at FROM subject_keys WHERE subject = ?",
      subject,
    )[0];

  const placeOf = (subject: string) => `subject-keys/${subject}`;

  const opened = async ({ subject, id, key }: Columns): Promise<KeptKey | null> => {
    if (id === null || key === null) return null;
    if (!key.startsWith("{")) return { subject, id, bytes: key };
    if (!sealer)
      throw new Error(`Cannot open the key of a data subject: it was sealed, expected CONFIG_KEYS`);
    return { subject, id, bytes: await sealer.open(JSON.parse(key) as Sealed, placeOf(subject)) };
  };

  /** What was forgotten while it was being opened is not handed out. */
  const stillThere = (kept: KeptKey | null): KeptKey | null =>
    kept !== null && rowOf(kept.subject)?.id === kept.id ? kept : null;

  const random = (bytes: number) => encodeBase64url(crypto.getRandomValues(new Uint8Array(bytes)));

  return {
    methods: {
      async toWrite({ subject }) {
        if (!rowOf(subject)) {
          const bytes = random(KEY_BYTES);
          const kept = sealer ? JSON.stringify(await sealer.seal(bytes, placeOf(subject))) : bytes;
          // Others may have been served during the sealing: the first key stays, and so does a forgetting.
          sql.exec(
            "INSERT OR IGNORE INTO subject_keys (subject, id, key) VALUES (?, ?, ?)",
            subject,
            random(6),
            kept,
          );
        }
        const row = rowOf(subject);
        return row ? stillThere(await opened(row)) : null;
      },
      async toRead({ subjects }) {
        const rows = sql.exec<Columns>(
          "SELECT subject, id, key, forgotten_at FROM subject_keys WHERE subject IN (SELECT value FROM json_each(?)) AND key IS NOT NULL",
          JSON.stringify(subjects),
        );
        const keys = await Promise.all(rows.map(opened));
        return keys.map(stillThere).filter((key) => key !== null);
      },
      async forget({ subject }) {
        sql.exec(
          `INSERT INTO subject_keys (subject, forgotten_at) VALUES (?, ?)
           ON CONFLICT (subject) DO UPDATE SET id = NULL, key = NULL, forgotten_at = coalesce(forgotten_at, excluded.forgotten_at)`,
          subject,
          rfc3339(clock()),
        );
        return { forgottenAt: rowOf(subject)?.forgotten_at ?? "" };
      },
    },
  };
};

/** @throws RangeError for bytes that no Actor gave */
export const bytesOf = ({ bytes }: KeptKey): Uint8Array<ArrayBuffer> => {
  const decoded = decodeBase64url(bytes);
  if (decoded?.length === KEY_BYTES) return new Uint8Array(decoded);
  throw new RangeError(`Cannot use the key of a data subject: expected ${KEY_BYTES} bytes`);
};
