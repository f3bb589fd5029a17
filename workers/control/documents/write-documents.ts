/** The edits that clients may ask for: put, remove, roll back, import. */
import { diffOf } from "#shared/config/diff.ts";
import type { Sealer } from "#shared/config/sealing.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { Author, DocumentName, RolloutPlan } from "../part.ts";
import {
  type DocumentFailure,
  type ExportedDocument,
  type ImportedDocument,
  nameOf,
  type Revision,
} from "./document.ts";
import type { DocumentRow, DocumentTables } from "./document-tables.ts";
import { type Edit, type Publish, type Published, rolloutUnderWay } from "./publish.ts";
import { sealContent } from "./seal-content.ts";
import { redacted } from "./secrets.ts";

/** On what condition a document is changed. */
export interface Condition {
  /** The revision that must stand; "*" for any. */
  readonly ifMatch?: number | "*" | undefined;
  /** Nothing must stand. */
  readonly ifNoneMatch?: "*" | undefined;
}

export interface PutDocument extends DocumentName, Author, Condition {
  readonly content: JsonObject;
  readonly reason: string;
  readonly rollout?: RolloutPlan | undefined;
}

export interface WrittenDocument {
  readonly revision: Revision;
  readonly created: boolean;
}

export interface RemoveDocument extends DocumentName, Author, Condition {
  readonly reason: string;
}

export interface RollBackDocument extends DocumentName, Author {
  readonly revision: number;
  readonly reason: string;
  readonly ifMatch?: number | "*" | undefined;
}

export interface ImportDocuments extends Author {
  readonly documents: readonly ExportedDocument[];
  readonly reason: string;
  readonly dryRun: boolean;
}

export const writeDocuments = ({
  tables,
  publish,
  seals,
}: {
  tables: DocumentTables;
  publish: Publish;
  seals: Sealer;
}) => {
  const one = async (
    edit: Edit,
    by: Author & { readonly reason: string },
  ): Promise<Result<WrittenDocument, DocumentFailure>> => {
    const done = await publish([edit], { by: { author: by.author, reason: by.reason } });
    if (!done.ok) return done;
    const [published] = done.value;
    if (!published?.revision) throw new Error(`Writing "${nameOf(edit.name)}": expected a revision`);
    return ok({ revision: shown(published.revision), created: published.created });
  };

  return {
    putDocument: (input: PutDocument) => {
      const name = named(input);
      const edit: Edit = {
        name,
        kind: input.rollout ? "candidate" : "written",
        rollout: input.rollout,
        refusal: (row) => conditionRefusal(name, row, input) ?? busyRefusal(name, row),
        content: (stored) => sealContent(input.content, { name, stored, seals }),
      };
      return one(edit, input);
    },

    removeDocument: (input: RemoveDocument) => {
      const name = named(input);
      const edit: Edit = {
        name,
        kind: "removed",
        refusal: (row) => conditionRefusal(name, row, input) ?? busyRefusal(name, row) ?? absence(name, row),
        content: async () => ok(null),
      };
      return one(edit, input);
    },

    /** To any revision that is kept and has a content; a document that was removed stands again. */
    rollBackDocument: (input: RollBackDocument) => {
      const name = named(input);
      const edit: Edit = {
        name,
        kind: "rolled_back",
        refusal: (row) =>
          (input.ifMatch === undefined ? undefined : conditionRefusal(name, row, input)) ??
          busyRefusal(name, row) ??
          (row ? undefined : documentNotFound(name)),
        content: async () => {
          const content = tables.contentAt(name, input.revision);
          return content ? ok(content) : err(revisionNotFound(name, input.revision));
        },
      };
      return one(edit, { ...input, reason: input.reason || `Back to revision ${input.revision}` });
    },

    /** All or nothing; documents that it does not name stay as they are. */
    importDocuments: async ({
      documents,
      author,
      reason,
      dryRun,
    }: ImportDocuments): Promise<Result<readonly ImportedDocument[], DocumentFailure>> => {
      const edits = documents.map((document): Edit => {
        const name = named(document);
        return {
          name,
          kind: "imported",
          onlyIfChanged: true,
          refusal: (row) => busyRefusal(name, row),
          content: (stored) => sealContent(document.content, { name, stored, seals }),
        };
      });
      const done = await publish(edits, { by: { author, reason }, dryRun });
      return done.ok ? ok(done.value.map((published) => imported(tables, published))) : done;
    },
  };
};

const named = ({ service, profile }: DocumentName): DocumentName => ({ service, profile });

const shown = (revision: Revision): Revision => ({
  ...revision,
  content: revision.content && redacted(revision.content),
});

const imported = (tables: DocumentTables, { name, before, after, created }: Published): ImportedDocument => {
  const changes = diffOf(redacted(before ?? {}), redacted(after ?? {}));
  const revision = tables.find(name)?.stable;
  const same = changes.length === 0 ? "unchanged" : "changed";
  return { ...name, action: created ? "created" : same, ...(revision != null && { revision }), changes };
};

const conditionRefusal = (
  name: DocumentName,
  row: DocumentRow | undefined,
  { ifMatch, ifNoneMatch }: Condition,
): DocumentFailure | undefined => {
  const stable = row?.stable ?? undefined;
  if (ifNoneMatch && stable !== undefined) return changed(name, stable, "none");
  if (ifMatch === "*" && stable === undefined) return changed(name, stable, "any");
  if (typeof ifMatch === "number" && ifMatch !== stable) return changed(name, stable, `${ifMatch}`);
  if (stable === undefined || ifMatch !== undefined) return undefined;
  const detail = `Changing "${nameOf(name)}": it exists; expected "If-Match" with the ETag of the revision that is changed.`;
  return { code: "precondition_required", detail };
};

const changed = (name: DocumentName, stable: number | undefined, expected: string): DocumentFailure => ({
  code: "document_changed",
  detail: `Changing "${nameOf(name)}" at revision "${stable ?? "none"}": expected "${expected}".`,
});

const busyRefusal = (name: DocumentName, row: DocumentRow | undefined): DocumentFailure | undefined =>
  row && row.candidate !== null ? rolloutUnderWay(name, name) : undefined;

const absence = (name: DocumentName, row: DocumentRow | undefined): DocumentFailure | undefined =>
  row?.stable == null ? documentNotFound(name) : undefined;

export const documentNotFound = (name: DocumentName): DocumentFailure => ({
  code: "document_not_found",
  detail: `Looking for the document "${nameOf(name)}": expected one that was put and not removed.`,
});

export const revisionNotFound = (name: DocumentName, revision: number): DocumentFailure => ({
  code: "revision_not_found",
  detail: `Looking for the content of revision "${revision}" of "${nameOf(name)}": expected one that is kept and is no removal.`,
});
