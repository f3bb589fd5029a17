/** Documents as they leave the Actor: plain data, every secret shown by its fingerprint. */
import type { Change } from "#shared/config/diff.ts";
import type { Origins } from "#shared/config/merge.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import type { Failure, PLATFORM_PROBLEMS } from "#shared/http/errors.ts";
import type { FieldFault } from "#shared/http/problem.ts";
import type { CONTROL_PROBLEMS } from "../contract.ts";
import type { DocumentName } from "../part.ts";

/** The service whose documents stand for all services. */
export const SHARED = "shared";
/** The profile that every other one builds on. */
export const DEFAULT_PROFILE = "default";

/** Both halves of a document's name. */
export const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** "orders/production". */
export const nameOf = ({ service, profile }: DocumentName): string => `${service}/${profile}`;

/** What made a revision. */
export const REVISION_KINDS = [
  "written",
  "candidate",
  "promoted",
  "withdrawn",
  "rolled_back",
  "imported",
  "removed",
] as const;
export type RevisionKind = (typeof REVISION_KINDS)[number];

export interface RevisionSummary extends DocumentName {
  /** 1, 2, 3, …: each entry of the history has its own. */
  readonly revision: number;
  readonly kind: RevisionKind;
  readonly author: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
  readonly epoch: number;
}

export interface Revision extends RevisionSummary {
  /** Null where the document was removed, or did not stand when its candidate was withdrawn. */
  readonly content: JsonObject | null;
}

/** An entry of the history. */
export interface HistoryEntry extends RevisionSummary {
  /** Against the entry before; absent when that one is no longer kept. */
  readonly changes?: readonly Change[];
}

export interface Document extends Revision {
  readonly content: JsonObject;
  /** The revision that is being rolled out. */
  readonly candidate?: number;
}

export interface DocumentSummary extends RevisionSummary {
  readonly candidate?: number;
}

export interface EffectiveDocument extends DocumentName {
  readonly epoch: number;
  /** With `flags`, as merged. */
  readonly value: JsonObject;
  readonly origins: Origins;
  /** With the candidate of the named document in that one's place. */
  readonly candidate?: { readonly document: string; readonly value: JsonObject; readonly origins: Origins };
}

export interface ExportedDocument extends DocumentName {
  readonly content: JsonObject;
}

export interface ImportedDocument extends DocumentName {
  readonly action: "created" | "changed" | "unchanged";
  /** The revision that it has now; absent when nothing was there and nothing was written. */
  readonly revision?: number;
  readonly changes: readonly Change[];
}

export interface DeclaredSchema {
  readonly service: string;
  readonly schema: JsonObject;
  readonly author: string;
  readonly at: string;
  readonly epoch: number;
}

export type DocumentFailure = Failure<keyof typeof CONTROL_PROBLEMS | keyof typeof PLATFORM_PROBLEMS> & {
  readonly errors?: readonly FieldFault[];
};
