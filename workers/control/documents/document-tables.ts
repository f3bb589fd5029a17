/** The tables of documents, their revisions and the services' schemas. Contents stand here with their secrets sealed. */
import type { JsonObject } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import type { ActorSql } from "#shared/runtime/actor.ts";
import type { DocumentName } from "../part.ts";
import type { RevisionKind } from "./document.ts";
import { sealedOf, secretsOf } from "./secrets.ts";

export type DocumentRow = {
  service: string;
  profile: string;
  /** The newest revision number that was given out. */
  newest: number;
  /** The revision in force; null while the document does not stand. */
  stable: number | null;
  /** The revision that is being rolled out. */
  candidate: number | null;
  /** The epoch of its last change. */
  epoch: number;
};

export type RevisionRow = {
  service: string;
  profile: string;
  revision: number;
  kind: RevisionKind;
  content: string | null;
  /** Ids of the keys that sealed its secrets, with spaces between. */
  keys: string;
  author: string;
  reason: string;
  at: number;
  epoch: number;
};

export type SchemaRow = { service: string; content: string; author: string; at: number; epoch: number };

const TABLES = [
  `CREATE TABLE IF NOT EXISTS documents (
     service TEXT NOT NULL, profile TEXT NOT NULL, newest INTEGER NOT NULL, stable INTEGER, candidate INTEGER,
     epoch INTEGER NOT NULL, PRIMARY KEY (service, profile)
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS documents_by_profile ON documents (profile, service)",
  "CREATE INDEX IF NOT EXISTS documents_by_epoch ON documents (epoch)",
  `CREATE TABLE IF NOT EXISTS revisions (
     service TEXT NOT NULL, profile TEXT NOT NULL, revision INTEGER NOT NULL, kind TEXT NOT NULL, content TEXT,
     keys TEXT NOT NULL, author TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, epoch INTEGER NOT NULL,
     PRIMARY KEY (service, profile, revision)
   )`,
  "CREATE INDEX IF NOT EXISTS revisions_with_secrets ON revisions (keys) WHERE keys <> ''",
  `CREATE TABLE IF NOT EXISTS schemas (
     service TEXT PRIMARY KEY, content TEXT NOT NULL, author TEXT NOT NULL, at INTEGER NOT NULL, epoch INTEGER NOT NULL
   )`,
  "CREATE INDEX IF NOT EXISTS schemas_by_epoch ON schemas (epoch)",
  // What was forgotten has left an epoch behind: no configuration may look older without it.
  "CREATE TABLE IF NOT EXISTS forgotten (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL)",
];

const DOCUMENT = "service = ? AND profile = ?";

export type DocumentTables = ReturnType<typeof documentTables>;

/** Creates what is missing. Its writers are called inside a change of the ledger. */
export const documentTables = (sql: ActorSql) => {
  for (const table of TABLES) sql.exec(table);

  const find = ({ service, profile }: DocumentName): DocumentRow | undefined =>
    sql.exec<DocumentRow>(`SELECT * FROM documents WHERE ${DOCUMENT}`, service, profile)[0];

  const revision = ({ service, profile }: DocumentName, number: number): RevisionRow | undefined =>
    sql.exec<RevisionRow>(
      `SELECT * FROM revisions WHERE ${DOCUMENT} AND revision = ?`,
      service,
      profile,
      number,
    )[0];

  const numberOf = (statement: string, ...params: (string | number)[]): number =>
    sql.exec<{ n: number | null }>(statement, ...params)[0]?.n ?? 0;

  const historyLength = ({ service, profile }: DocumentName): number =>
    numberOf(
      `SELECT SUM(LENGTH(CAST(content AS BLOB))) n FROM revisions WHERE ${DOCUMENT}`,
      service,
      profile,
    );

  /** What is in force, in candidacy or just written stays, however large it is. */
  const pruneByBytes = (name: DocumentName, newest: number): void => {
    if (historyLength(name) <= LIMITS.documentHistoryBytes) return;
    const { service, profile } = name;
    const lengths = sql.exec<{ revision: number; length: number | null }>(
      `SELECT revision, LENGTH(CAST(content AS BLOB)) length FROM revisions WHERE ${DOCUMENT} ORDER BY revision DESC`,
      service,
      profile,
    );
    let bytes = 0;
    const first = lengths.find(({ length }) => {
      bytes += length ?? 0;
      return bytes > LIMITS.documentHistoryBytes;
    });
    const row = find(name);
    sql.exec(
      `DELETE FROM revisions WHERE ${DOCUMENT} AND revision <= ? AND revision NOT IN (?, ?, ?)`,
      ...[service, profile, first?.revision ?? 0],
      ...[newest, row?.stable ?? 0, row?.candidate ?? 0],
    );
  };

  return {
    find,
    revision,

    /** What a revision number names; undefined for none, for a removal, and for one that is no longer kept. */
    contentAt(name: DocumentName, number: number | null): JsonObject | undefined {
      const content = number === null ? undefined : revision(name, number)?.content;
      return content == null ? undefined : (JSON.parse(content) as JsonObject);
    },

    /** Documents that stand, by name. */
    standing({ service, profile }: DocumentName, limit: number): DocumentRow[] {
      return sql.exec<DocumentRow>(
        "SELECT * FROM documents WHERE stable IS NOT NULL AND (service, profile) > (?, ?) ORDER BY service, profile LIMIT ?",
        service,
        profile,
        limit,
      );
    },

    /** Of every document that is remembered, whether it stands or not. */
    names: (): DocumentName[] =>
      sql.exec<{ service: string; profile: string }>("SELECT service, profile FROM documents"),

    /** Numbers of revisions, newest first: each content is read when it is its turn. */
    history({ service, profile }: DocumentName, before: number, limit: number): number[] {
      return sql
        .exec<{ revision: number }>(
          `SELECT revision FROM revisions WHERE ${DOCUMENT} AND revision < ? ORDER BY revision DESC LIMIT ?`,
          ...[service, profile, before, limit],
        )
        .map(({ revision: number }) => number);
    },

    /** Profiles of documents that stand or are being rolled out. */
    profiles: (): string[] =>
      sql
        .exec<{ profile: string }>(
          "SELECT DISTINCT profile FROM documents WHERE stable IS NOT NULL OR candidate IS NOT NULL ORDER BY profile",
        )
        .map(({ profile }) => profile),

    /** Services with documents or a schema. */
    services: (): string[] =>
      sql
        .exec<{ service: string }>(
          `SELECT service FROM documents WHERE stable IS NOT NULL OR candidate IS NOT NULL
           UNION SELECT service FROM schemas ORDER BY service`,
        )
        .map(({ service }) => service),

    documentsOf: (service: string): number =>
      numberOf(
        "SELECT COUNT(*) n FROM documents WHERE service = ? AND (stable IS NOT NULL OR candidate IS NOT NULL)",
        service,
      ),

    /** The newest epoch of any document or schema: the same as before means that nothing has changed. */
    stamp: (): number =>
      Math.max(
        numberOf("SELECT MAX(epoch) n FROM documents"),
        numberOf("SELECT MAX(epoch) n FROM schemas"),
        numberOf("SELECT epoch n FROM forgotten"),
      ),

    /** The newest epoch of what this service's configuration is made of. */
    epochOf: (service: string, names: readonly DocumentName[]): number =>
      Math.max(
        ...names.map((name) => find(name)?.epoch ?? 0),
        numberOf("SELECT epoch n FROM schemas WHERE service = ?", service),
        numberOf("SELECT epoch n FROM forgotten"),
      ),

    /** Adds the next entry to a document's history; the oldest ones make room. */
    append(
      { service, profile }: DocumentName,
      entry: Omit<RevisionRow, "service" | "profile" | "content" | "keys"> & { content: JsonObject | null },
    ): void {
      sql.exec(
        "INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        service,
        profile,
        entry.revision,
        entry.kind,
        entry.content && JSON.stringify(entry.content),
        entry.content ? keysOf(entry.content) : "",
        entry.author,
        entry.reason,
        entry.at,
        entry.epoch,
      );
      sql.exec(
        `DELETE FROM revisions WHERE ${DOCUMENT} AND revision <= ?`,
        service,
        profile,
        entry.revision - LIMITS.documentRevisions,
      );
      pruneByBytes({ service, profile }, entry.revision);
    },

    save({ service, profile, newest, stable, candidate, epoch }: DocumentRow): void {
      sql.exec(
        "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)",
        service,
        profile,
        newest,
        stable,
        candidate,
        epoch,
      );
    },

    /** Makes room for one more document by forgetting the one that was removed first; false when all of them stand. */
    makeRoom(): boolean {
      if (numberOf("SELECT COUNT(*) n FROM documents") < LIMITS.documents) return true;
      const [gone] = sql.exec<DocumentRow>(
        "SELECT * FROM documents WHERE stable IS NULL AND candidate IS NULL ORDER BY epoch LIMIT 1",
      );
      if (!gone) return false;
      sql.exec(`DELETE FROM revisions WHERE ${DOCUMENT}`, gone.service, gone.profile);
      sql.exec(`DELETE FROM documents WHERE ${DOCUMENT}`, gone.service, gone.profile);
      sql.exec(
        "INSERT INTO forgotten VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET epoch = MAX(epoch, excluded.epoch)",
        gone.epoch,
      );
      return true;
    },

    /** Revisions with secrets that another key than this one sealed, in the order of their row ids. */
    sealedByOthers: (key: string, after: number, limit: number) =>
      sql.exec<RevisionRow & { rowid: number }>(
        "SELECT rowid, * FROM revisions WHERE keys <> '' AND keys <> ? AND rowid > ? ORDER BY rowid LIMIT ?",
        key,
        after,
        limit,
      ),

    /** Puts the same content sealed anew in the place of `former`, if that is still there. */
    reseal(rowid: number, former: string, content: JsonObject): void {
      sql.exec(
        "UPDATE revisions SET content = ?, keys = ? WHERE rowid = ? AND content = ?",
        JSON.stringify(content),
        keysOf(content),
        rowid,
        former,
      );
    },

    /** Has isolates and snapshots take the document anew, when this revision of it is one that they have. */
    raise({ service, profile }: DocumentName, revision: number, epoch: number): void {
      sql.exec(
        `UPDATE documents SET epoch = ? WHERE ${DOCUMENT} AND ? IN (stable, candidate)`,
        epoch,
        service,
        profile,
        revision,
      );
    },

    schema: (service: string): SchemaRow | undefined =>
      sql.exec<SchemaRow>("SELECT * FROM schemas WHERE service = ?", service)[0],

    schemas: (): number => numberOf("SELECT COUNT(*) n FROM schemas"),

    saveSchema({ service, content, author, at, epoch }: SchemaRow): void {
      sql.exec("INSERT OR REPLACE INTO schemas VALUES (?, ?, ?, ?, ?)", service, content, author, at, epoch);
    },
  };
};

const keysOf = (content: JsonObject): string =>
  [...new Set(secretsOf(content).map((secret) => sealedOf(secret).key))].sort().join(" ");
