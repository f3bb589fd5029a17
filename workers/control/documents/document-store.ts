/** The documents' part of the control plane's Actor. */
import type { Sealer } from "#shared/config/sealing.ts";
import type { ActorSql } from "#shared/runtime/actor.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import type { Candidates, DocumentName, EffectiveConfig, Ledger, RolloutStarts } from "../part.ts";
import { documentCandidates } from "./candidates.ts";
import { declaredSchemas } from "./declared-schemas.ts";
import { documentTables } from "./document-tables.ts";
import { effectiveConfig, layerNames } from "./layers.ts";
import { publisher } from "./publish.ts";
import { readDocuments } from "./read-documents.ts";
import { secretRotation } from "./rotate-secrets.ts";
import { writeDocuments } from "./write-documents.ts";

export interface DocumentStoreOptions {
  readonly sql: ActorSql;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly seals: Sealer;
  readonly rollouts: RolloutStarts;
}

/** What routes call, through the Actor. */
export type DocumentMethods = ReturnType<typeof documentStore>["methods"];

/** Makes its tables when they are missing. */
export const documentStore = ({ sql, ledger, clock, seals, rollouts }: DocumentStoreOptions) => {
  const tables = documentTables(sql);
  const { publish, alone } = publisher({ tables, ledger, clock, seals, rollouts });
  const candidates: Candidates = documentCandidates(tables, clock);
  return {
    methods: {
      ...readDocuments(tables),
      ...writeDocuments({ tables, publish, seals }),
      ...declaredSchemas({ tables, ledger, clock, seals, alone }),
      ...secretRotation({ tables, ledger, seals, alone }),
    },
    candidates,
    /** All that are known, removed ones too: what is left of a configuration without them must reach its snapshot. */
    names: (): DocumentName[] => tables.names(),
    /** Reads up to four documents; {@link effectiveEpochOf} says whether that is worth it. */
    effectiveOf: (service: string, profile: string): EffectiveConfig =>
      effectiveConfig(tables, { service, profile }),
    /** The epoch of {@link effectiveOf}, from indexes alone. */
    effectiveEpochOf: (service: string, profile: string): number =>
      tables.epochOf(service, layerNames({ service, profile })),
  };
};
