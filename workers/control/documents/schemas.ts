/** The forms of documents on the wire. */
import * as z from "zod";
import type { JsonObject, JsonValue } from "#shared/control/changes.ts";
import { timestampSchema } from "#shared/http/schemas.ts";
import { LIMITS } from "#shared/limits.ts";
import { NAME, REVISION_KINDS } from "./document.ts";

const nameSchema = z
  .string()
  .regex(NAME, "expected a lower-case letter and up to 62 of a-z 0-9 -")
  .meta({ example: "orders" });

export const documentParams = { service: nameSchema, profile: nameSchema.meta({ example: "production" }) };
export const serviceParams = z.strictObject({ service: nameSchema });

const revisionNumber = z.int().min(1).meta({ description: "Number of a revision", example: 3 });

/** A whole number in a path or a query. */
export const revisionParam = z
  .string()
  .regex(/^[1-9][0-9]{0,14}$/, "expected the number of a revision")
  .transform(Number)
  .meta({ type: "integer", minimum: 1, description: "Number of a revision", example: "3" });

/** Taken as it stands: a schema that rebuilt it would lose names. */
const contentSchema = z
  .custom<JsonObject>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "expected an object",
  )
  .meta({
    type: "object",
    description: 'Settings; `{"$secret": "text"}` for a secret; `flags` for feature flags',
    example: { cache: { ttlSeconds: 60 } },
  });

const reasonSchema = z
  .string()
  .max(LIMITS.configReasonCharacters)
  .default("")
  .meta({ description: "Why, for history" });

const rolloutSchema = z
  .strictObject({
    by: z.enum(["isolate", "key"]),
    steps: z
      .array(
        z.strictObject({
          percentage: z.number().min(0).max(100).multipleOf(0.01),
          seconds: z.int().min(1).max(LIMITS.rolloutStepSeconds),
        }),
      )
      .min(1)
      .max(LIMITS.rolloutSteps),
    errorRateRise: z.number().min(0).max(1).meta({
      description: "How far the candidate's rate of 5xx may be above the stable one's",
    }),
  })
  .meta({ id: "RolloutPlan" });

export const putSchema = z
  .strictObject({
    content: contentSchema,
    reason: reasonSchema,
    rollout: rolloutSchema.optional(),
  })
  .meta({ id: "DocumentChange" });

export const rollbackSchema = z
  .strictObject({ revision: revisionNumber, reason: reasonSchema })
  .meta({ id: "DocumentRollback" });

const exportedSchema = z.strictObject({ ...documentParams, content: contentSchema });

export const exportSchema = z
  .strictObject({ documents: z.array(exportedSchema) })
  .meta({ id: "ExportedDocuments" });

export const importSchema = z
  .strictObject({
    documents: z
      .array(exportedSchema)
      .min(1)
      .max(LIMITS.documentsPerImport)
      .refine(
        (all) => new Set(all.map(({ service, profile }) => `${service}/${profile}`)).size === all.length,
        "expected each document once",
      ),
    reason: reasonSchema,
  })
  .meta({ id: "DocumentImport" });

export const schemaBody = z
  .strictObject({ schema: contentSchema.meta({ description: "JSON Schema 2020-12 of an object" }) })
  .meta({ id: "SchemaDeclaration" });

const anyJson = z
  .custom<JsonValue>()
  .meta({ type: ["object", "array", "string", "number", "boolean", "null"], description: "Any JSON" });

const changeSchema = z
  .strictObject({ path: z.string(), before: anyJson.optional(), after: anyJson.optional() })
  .meta({ id: "DocumentFieldChange" });

const summaryFields = {
  ...documentParams,
  revision: revisionNumber,
  kind: z.enum(REVISION_KINDS),
  author: z.string(),
  reason: z.string(),
  at: timestampSchema,
  epoch: z.int(),
};

const candidateField = {
  candidate: revisionNumber.optional().meta({ description: "The revision that is being rolled out" }),
};

export const documentPageSchema = z.strictObject({
  items: z.array(z.strictObject({ ...summaryFields, ...candidateField })),
});

export const documentSchema = z
  .strictObject({ ...summaryFields, content: contentSchema, ...candidateField })
  .meta({ id: "Document" });

export const revisionSchema = z
  .strictObject({ ...summaryFields, content: contentSchema.nullable() })
  .meta({ id: "DocumentRevision" });

export const historyPageSchema = z.strictObject({
  items: z.array(z.strictObject({ ...summaryFields, changes: z.array(changeSchema).optional() })),
});

export const diffSchema = z.strictObject({ changes: z.array(changeSchema) });

const originsSchema = z
  .record(z.string(), z.strictObject({ document: z.string(), revision: revisionNumber }))
  .meta({ description: "By the path of each value: the document that it is from" });

export const effectiveSchema = z
  .strictObject({
    ...documentParams,
    epoch: z.int(),
    value: contentSchema,
    origins: originsSchema,
    candidate: z
      .strictObject({ document: z.string(), value: contentSchema, origins: originsSchema })
      .optional(),
  })
  .meta({ id: "EffectiveConfiguration" });

export const importedSchema = z
  .strictObject({
    documents: z.array(
      z.strictObject({
        ...documentParams,
        action: z.enum(["created", "changed", "unchanged"]),
        revision: revisionNumber.optional(),
        changes: z.array(changeSchema),
      }),
    ),
    dryRun: z.boolean(),
  })
  .meta({ id: "ImportedDocuments" });

export const declaredSchema = z
  .strictObject({
    service: nameSchema,
    schema: contentSchema,
    author: z.string(),
    at: timestampSchema,
    epoch: z.int(),
  })
  .meta({ id: "DeclaredSchema" });

export const declarationSchema = z.strictObject({
  ...declaredSchema.shape,
  faults: z
    .array(z.strictObject({ path: z.string(), message: z.string() }))
    .meta({ description: "Where documents that stand do not fit it" }),
});

export const rotatedSchema = z
  .strictObject({
    key: z.string().meta({ description: "The key that seals now" }),
    resealed: z.int().meta({ description: "Revisions sealed anew" }),
    failed: z.array(z.strictObject({ ...documentParams, revision: revisionNumber })),
    next: z.int().optional().meta({ description: "`after` of the next request; absent when all is done" }),
  })
  .meta({ id: "SecretsRotated" });
