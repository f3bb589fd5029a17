/** The schemas that services declare for their configuration. */
import { schemaFaults } from "#shared/config/schema-check.ts";
import type { Sealer } from "#shared/config/sealing.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import { canonicalJson } from "#shared/http/canonical-json.ts";
import type { FieldFault } from "#shared/http/problem.ts";
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import { type Clock, rfc3339 } from "#shared/runtime/clock.ts";
import type { Author, Ledger } from "../part.ts";
import { DEFAULT_PROFILE, type DeclaredSchema, type DocumentFailure, SHARED } from "./document.ts";
import type { DocumentTables, SchemaRow } from "./document-tables.ts";
import { faultsStanding } from "./fit.ts";
import { storedView } from "./layers.ts";
import { touchedBy } from "./touched.ts";

export interface DeclareSchema extends Author {
  readonly service: string;
  readonly schema: JsonObject;
}

export interface SchemaDeclared {
  readonly declared: DeclaredSchema;
  /** Where documents that stand do not fit it, by "orders/production#path". */
  readonly faults: readonly FieldFault[];
}

export const declaredSchemas = ({
  tables,
  ledger,
  clock,
  seals,
  alone,
}: {
  tables: DocumentTables;
  ledger: Ledger;
  clock: Clock;
  seals: Sealer;
  alone: <T>(work: () => Promise<T>) => Promise<T>;
}) => {
  const save = async (
    { service, author }: DeclareSchema,
    content: string,
  ): Promise<Result<SchemaRow, DocumentFailure>> => {
    const known = tables.schema(service);
    if (known?.content === content) return ok(known);
    return ledger.change<SchemaRow, DocumentFailure>((epoch) => {
      if (!known && tables.schemas() >= LIMITS.configSchemas) return err(noRoom(service));
      const row = { service, content, author, at: clock(), epoch };
      tables.saveSchema(row);
      return ok(row);
    });
  };

  return {
    /** Never refused because documents do not fit it: a deployment must go on, and its worker keeps what fitted last. */
    declareSchema: (input: DeclareSchema): Promise<Result<SchemaDeclared, DocumentFailure>> =>
      alone(async () => {
        const content = canonicalJson(input.schema);
        const refusal = schemaRefusal(input, content);
        if (refusal) return err(refusal);
        const saved = await save(input, content);
        if (!saved.ok) return saved;
        const view = storedView(tables);
        const own = touchedBy([{ service: input.service, profile: DEFAULT_PROFILE }], view, tables);
        return ok({ declared: declared(saved.value), faults: await faultsStanding(view, own, seals) });
      }),

    readSchema: async ({
      service,
    }: {
      service: string;
    }): Promise<Result<DeclaredSchema, DocumentFailure>> => {
      const row = tables.schema(service);
      if (row) return ok(declared(row));
      const detail = `Looking for the schema of "${service}": expected one that it has declared.`;
      return err({ code: "schema_not_found", detail });
    },
  };
};

const declared = ({ service, content, author, at, epoch }: SchemaRow): DeclaredSchema => ({
  service,
  schema: JSON.parse(content) as JsonObject,
  author,
  at: rfc3339(at),
  epoch,
});

const schemaRefusal = ({ service, schema }: DeclareSchema, content: string): DocumentFailure | undefined => {
  const refused = (why: string, errors: readonly FieldFault[] = []): DocumentFailure => ({
    code: "schema_not_valid",
    detail: `Declaring the schema of "${service}": ${why}.`,
    errors,
  });
  if (service === SHARED) return refused("its documents stand for all services; expected one service");
  const bytes = new TextEncoder().encode(content).byteLength;
  if (bytes > LIMITS.configSchemaBytes) {
    return refused(`it has ${bytes} bytes; expected at most ${LIMITS.configSchemaBytes}`);
  }
  const faults = schemaFaults(schema);
  const [first] = faults;
  return first && refused(`${first.path ? `at "${first.path}" ` : ""}${first.message}`, faults);
};

const noRoom = (service: string): DocumentFailure => ({
  code: "limit_reached",
  detail: `Declaring the schema of "${service}": expected at most ${LIMITS.configSchemas} schemas.`,
});
