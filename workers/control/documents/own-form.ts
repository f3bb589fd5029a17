/** What no JSON Schema says of a configuration, and its service would refuse: asked of the service's own schema. */
import type { z } from "zod";
import { configJsonSchema } from "#shared/config/config-json-schema.ts";
import { dottedPath } from "#shared/config/path.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import { canonicalJson } from "#shared/http/canonical-json.ts";
import type { FieldFault } from "#shared/http/problem.ts";
import { LIMITS } from "#shared/limits.ts";
import { GATEWAY_CONFIG } from "#workers/gateway/contract.ts";

const OWN_SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map([["gateway", GATEWAY_CONFIG]]);

/** As JSON Schemas; made when first needed. */
const written = new Map<string, string>();

const writtenOf = (service: string, schema: z.ZodType): string => {
  const text = written.get(service) ?? canonicalJson(configJsonSchema(schema));
  written.set(service, text);
  return text;
};

/**
 * To be asked about what fits the declared schema. Nothing where that is not the one known here: the service is of another
 * version then, and its isolates judge alone.
 */
export const ownFormFaults = (
  service: string,
  { schema, value }: { readonly schema: JsonObject; readonly value: JsonObject },
): FieldFault[] => {
  const own = OWN_SCHEMAS.get(service);
  if (!own || canonicalJson(schema) !== writtenOf(service, own)) return [];
  const { error } = own.safeParse(value);
  return (error?.issues ?? []).slice(0, LIMITS.schemaFaults).map(({ path, message }) => ({
    path: dottedPath(path.map(String)),
    message: message.slice(0, LIMITS.configFaultCharacters),
  }));
};
