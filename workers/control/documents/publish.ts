/** Writes documents: what is edited together is checked together, and stands together or not at all. */

import type { Sealer } from "#shared/config/sealing.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import { keyedMutex } from "#shared/cqrs/mutex.ts";
import { sameJson } from "#shared/http/same-json.ts";
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import type { Author, DocumentName, Ledger, RolloutPlan, RolloutStarts } from "../part.ts";
import { type DocumentFailure, nameOf, type Revision, type RevisionKind } from "./document.ts";
import type { DocumentRow, DocumentTables } from "./document-tables.ts";
import { faultsOfEdit } from "./fit.ts";
import { type DocumentSides, editedView, storedView } from "./layers.ts";
import { doesNotFit } from "./seal-content.ts";
import { touchedBy } from "./touched.ts";

export interface Edit {
  readonly name: DocumentName;
  readonly kind: RevisionKind;
  /** With it, the content becomes a candidate. */
  readonly rollout?: RolloutPlan | undefined;
  /** Writes nothing when the content is what stands. */
  readonly onlyIfChanged?: boolean;
  /** What stands against it as the document is now. */
  refusal(row: DocumentRow | undefined): DocumentFailure | undefined;
  /** What is to be stored, secrets sealed; null removes. `stored` is what stands now. */
  content(stored: JsonObject | undefined): Promise<Result<JsonObject | null, DocumentFailure>>;
}

/** What an edit does. */
export interface Published {
  readonly name: DocumentName;
  readonly before: JsonObject | undefined;
  readonly after: JsonObject | null;
  readonly created: boolean;
  /** What was written; absent for an edit that changes nothing, and for one that was only tried. */
  readonly revision?: Revision;
}

export interface PublishOptions {
  readonly by: Author & { readonly reason: string };
  /** Says what would happen, and changes nothing. */
  readonly dryRun?: boolean;
}

export type Publish = (
  edits: readonly Edit[],
  options: PublishOptions,
) => Promise<Result<readonly Published[], DocumentFailure>>;

interface Draft {
  readonly edit: Edit;
  readonly published: Published;
  readonly changes: boolean;
}

/** `alone` runs what rests on documents or schemas while nobody writes them. */
export const publisher = ({
  tables,
  ledger,
  clock,
  seals,
  rollouts,
}: {
  tables: DocumentTables;
  ledger: Ledger;
  clock: Clock;
  seals: Sealer;
  rollouts: RolloutStarts;
}): { publish: Publish; alone: <T>(work: () => Promise<T>) => Promise<T> } => {
  const mutex = keyedMutex();
  const alone = <T>(work: () => Promise<T>): Promise<T> => mutex("documents", work);

  const draftOf = async (edit: Edit): Promise<Result<Draft, DocumentFailure>> => {
    const row = tables.find(edit.name);
    const refusal = edit.refusal(row);
    if (refusal) return err(refusal);
    const before = tables.contentAt(edit.name, row?.stable ?? null);
    const content = await edit.content(before);
    if (!content.ok) return content;
    const after = content.value;
    const isSame = () => before !== undefined && sameJson(before, after);
    const published = { name: edit.name, before, after, created: before === undefined };
    return ok({ edit, published, changes: !(edit.onlyIfChanged && isSame()) });
  };

  const faultsOf = async (drafts: readonly Draft[]) => {
    const before = storedView(tables);
    const edited = new Map(
      drafts.map(({ edit, published }) => [
        nameOf(edit.name),
        sidesAfter(before.document(edit.name), edit, published.after),
      ]),
    );
    const after = editedView(before, edited);
    const names = drafts.map(({ edit }) => edit.name);
    const written = new Set(
      drafts.flatMap(({ edit, published }) => (published.after ? [nameOf(edit.name)] : [])),
    );
    const touched = touchedBy(names, after, tables);
    return faultsOfEdit({ before, after, touched, mustFit: (name) => written.has(nameOf(name)), seals });
  };

  /** Within a change of the ledger. */
  const write = (
    { edit, published }: Draft,
    { by, epoch }: { by: PublishOptions["by"]; epoch: number },
  ): Result<Published, DocumentFailure> => {
    const { name, kind } = edit;
    const row = tables.find(name);
    const refusal = edit.refusal(row) ?? roomRefusal(tables, name, row) ?? rolloutRefusal(rollouts, edit);
    if (refusal) return err(refusal);
    const revision = (row?.newest ?? 0) + 1;
    const at = clock();
    const { author, reason } = by;
    tables.append(name, { revision, kind, content: published.after, author, reason, at, epoch });
    const stable = edit.rollout ? (row?.stable ?? null) : published.after && revision;
    tables.save({ ...name, newest: revision, stable, candidate: edit.rollout ? revision : null, epoch });
    if (edit.rollout) rollouts.start(name, edit.rollout, epoch);
    const written = { ...name, revision, kind, author, reason, epoch, content: published.after };
    return ok({ ...published, revision: { ...written, at: new Date(at).toISOString() } });
  };

  const checkAndWrite = async (
    edits: readonly Edit[],
    { by, dryRun }: PublishOptions,
  ): Promise<Result<readonly Published[], DocumentFailure>> => {
    const drafts: Draft[] = [];
    for (const edit of edits) {
      const draft = await draftOf(edit);
      if (!draft.ok) return draft;
      drafts.push(draft.value);
    }
    const changing = drafts.filter(({ changes }) => changes);
    const faults = await faultsOf(changing);
    if (faults.length > 0) return err(doesNotFit(edits.map(({ name }) => nameOf(name)).join('", "'), faults));
    if (dryRun || changing.length === 0) return ok(drafts.map(({ published }) => published));
    return ledger.change<readonly Published[], DocumentFailure>((epoch) => {
      const all: Published[] = [];
      for (const draft of drafts) {
        const written = draft.changes ? write(draft, { by, epoch }) : ok(draft.published);
        if (!written.ok) return written;
        all.push(written.value);
      }
      return ok(all);
    });
  };

  return {
    alone,
    // What is checked rests on other documents and on schemas: none of them is written meanwhile. A roll-out may end, which
    // spoils no check, because each one looks at both sides.
    publish: (edits, options) => alone(() => checkAndWrite(edits, options)),
  };
};

const sidesAfter = (before: DocumentSides, edit: Edit, content: JsonObject | null): DocumentSides => {
  // The number that it will have is not known yet, and no check asks for it.
  const standing = { revision: 0, content };
  if (!edit.rollout) return { stable: standing };
  return { ...before, candidate: standing };
};

const roomRefusal = (
  tables: DocumentTables,
  name: DocumentName,
  row: DocumentRow | undefined,
): DocumentFailure | undefined => {
  if (row && row.stable !== null) return undefined;
  const attempt = `Adding the document "${nameOf(name)}"`;
  if (tables.documentsOf(name.service) >= LIMITS.documentProfiles) {
    const detail = `${attempt}: expected at most ${LIMITS.documentProfiles} profiles of a service.`;
    return { code: "limit_reached", detail };
  }
  if (row || tables.makeRoom()) return undefined;
  return { code: "limit_reached", detail: `${attempt}: expected at most ${LIMITS.documents} documents.` };
};

const rolloutRefusal = (rollouts: RolloutStarts, { name, rollout }: Edit): DocumentFailure | undefined => {
  const other = rollout && rollouts.touching(name);
  return other && rolloutUnderWay(name, other);
};

export const rolloutUnderWay = (name: DocumentName, other: DocumentName): DocumentFailure => ({
  code: "rollout_under_way",
  detail: `Writing "${nameOf(name)}": a roll-out of "${nameOf(other)}" is under way; expected it to have ended.`,
});
