/** Reads documents, their history and what they make together; every secret is shown by its fingerprint. */
import { type Change, diffOf } from "#shared/config/diff.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import { rfc3339 } from "#shared/runtime/clock.ts";
import type { DocumentName } from "../part.ts";
import {
  type Document,
  type DocumentFailure,
  type DocumentSummary,
  type EffectiveDocument,
  type ExportedDocument,
  type HistoryEntry,
  nameOf,
  type Revision,
  type RevisionSummary,
} from "./document.ts";
import type { DocumentRow, DocumentTables, RevisionRow } from "./document-tables.ts";
import { layerNames, mergedSides, storedView } from "./layers.ts";
import { redacted } from "./secrets.ts";
import { documentNotFound, revisionNotFound } from "./write-documents.ts";

/** A page of a list; `more` says whether another follows. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly more: boolean;
}

const FIRST: DocumentName = { service: "", profile: "" };
/** Documents of one page of an export, when their contents do not end it sooner. */
const EXPORT_PAGE = 500;

export const readDocuments = (tables: DocumentTables) => {
  const stableRow = (row: DocumentRow): RevisionRow => {
    const found = tables.revision(row, row.stable ?? 0);
    if (!found) throw new Error(`Reading "${nameOf(row)}": its revision "${row.stable}" is gone`);
    return found;
  };

  const changesOf = (row: RevisionRow): { changes?: Change[] } => {
    const before = tables.revision(row, row.revision - 1);
    if (!before && row.revision > 1) return {};
    return { changes: diffOf(shownContent(before) ?? {}, shownContent(row) ?? {}) };
  };

  return {
    /** By service and profile. */
    listDocuments: async ({
      after = FIRST,
      limit,
    }: {
      after?: DocumentName | undefined;
      limit: number;
    }): Promise<Result<Page<DocumentSummary>, never>> => {
      const rows = tables.standing(after, limit + 1);
      const items = rows
        .slice(0, limit)
        .map((row) => ({ ...summaryOf(stableRow(row)), ...candidateOf(row) }));
      return ok({ items, more: rows.length > limit });
    },

    readDocument: async (name: DocumentName): Promise<Result<Document, DocumentFailure>> => {
      const row = tables.find(name);
      if (!row || row.stable === null) return err(documentNotFound(name));
      const stable = stableRow(row);
      return ok({ ...summaryOf(stable), content: shownContent(stable) ?? {}, ...candidateOf(row) });
    },

    /** Newest first; `before` is the last revision of the page before. Large contents end a page early. */
    documentHistory: async ({
      before = Number.MAX_SAFE_INTEGER,
      limit,
      ...name
    }: DocumentName & { before?: number | undefined; limit: number }): Promise<
      Result<Page<HistoryEntry>, DocumentFailure>
    > => {
      if (!tables.find(name)) return err(documentNotFound(name));
      const numbers = tables.history(name, before, limit + 1);
      const rows = readUpTo(numbers.slice(0, limit), (number) => tables.revision(name, number));
      const items = rows.map((row) => ({ ...summaryOf(row), ...changesOf(row) }));
      return ok({ items, more: numbers.length > items.length });
    },

    documentRevision: async ({
      revision,
      ...name
    }: DocumentName & { revision: number }): Promise<Result<Revision, DocumentFailure>> => {
      const row = tables.revision(name, revision);
      return row
        ? ok({ ...summaryOf(row), content: shownContent(row) ?? null })
        : err(revisionNotFound(name, revision));
    },

    /** Between any two revisions; a removal is empty. */
    documentDiff: async ({
      from,
      to,
      ...name
    }: DocumentName & { from: number; to: number }): Promise<Result<readonly Change[], DocumentFailure>> => {
      const [before, after] = [tables.revision(name, from), tables.revision(name, to)];
      if (!before) return err(revisionNotFound(name, from));
      if (!after) return err(revisionNotFound(name, to));
      return ok(diffOf(shownContent(before) ?? {}, shownContent(after) ?? {}));
    },

    /** Of any service and profile: what no document says is empty. */
    effectiveDocument: async ({
      service,
      profile,
    }: DocumentName): Promise<Result<EffectiveDocument, never>> => {
      const name = { service, profile };
      const { stable, candidate } = mergedSides(storedView(tables), name);
      return ok({
        ...name,
        epoch: tables.epochOf(service, layerNames(name)),
        value: redacted(stable.value),
        origins: stable.origins,
        ...(candidate && {
          candidate: {
            document: nameOf(candidate.document),
            value: redacted(candidate.value),
            origins: candidate.origins,
          },
        }),
      });
    },

    /** Documents that stand, as an import takes them; large contents end a page early. */
    exportDocuments: async ({
      after = FIRST,
    }: {
      after?: DocumentName | undefined;
    }): Promise<Result<Page<ExportedDocument>, never>> => {
      const found = tables.standing(after, EXPORT_PAGE + 1);
      const rows = readUpTo(found.slice(0, EXPORT_PAGE), stableRow);
      const items = rows.map((row) => ({
        service: row.service,
        profile: row.profile,
        content: shownContent(row) ?? {},
      }));
      return ok({ items, more: found.length > items.length });
    },
  };
};

/** Reads until the contents have `LIMITS.documentPageBytes` together; one at least. */
const readUpTo = <Item>(
  items: readonly Item[],
  read: (item: Item) => RevisionRow | undefined,
): RevisionRow[] => {
  const rows: RevisionRow[] = [];
  let length = 0;
  for (const item of items) {
    const row = read(item);
    if (row) rows.push(row);
    length += row?.content?.length ?? 0;
    if (length >= LIMITS.documentPageBytes) break;
  }
  return rows;
};

const shownContent = (row: RevisionRow | undefined): JsonObject | undefined =>
  row?.content == null ? undefined : redacted(JSON.parse(row.content) as JsonObject);

const candidateOf = ({ candidate }: DocumentRow) => (candidate === null ? {} : { candidate });

const summaryOf = ({
  service,
  profile,
  revision,
  kind,
  author,
  reason,
  at,
  epoch,
}: RevisionRow): RevisionSummary => ({
  service,
  profile,
  revision,
  kind,
  author,
  reason,
  at: rfc3339(at),
  epoch,
});
