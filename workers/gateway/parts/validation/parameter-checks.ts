/** Holds a request's parameters to what an operation declares of them. */
import type { FieldFault } from "#shared/http/problem.ts";
import { LIMITS } from "#shared/limits.ts";
import { entriesOf, isJsonObject, type JsonObject } from "../../documents/service-document.ts";
import { boundedCheck, type Check, type Unchecked } from "./bounded-check.ts";
import { resolved, typesOf } from "./document-places.ts";
import {
  coercedValue,
  isNamedBy,
  isUnderstood,
  type ParameterForm,
  type Place,
  type RequestTexts,
  writtenValue,
} from "./parameter-values.ts";

export interface ParameterFault extends FieldFault {
  readonly in: Place;
}

export interface CheckedParameters {
  readonly faults: readonly ParameterFault[];
  readonly unchecked: readonly Unchecked[];
}

export type CheckParameters = (texts: RequestTexts, unknownQuery: "allow" | "refuse") => CheckedParameters;

interface Parameter {
  readonly form: ParameterForm;
  readonly required: boolean;
  readonly allowsEmpty: boolean;
  readonly check: Check;
  readonly typesAt: (field?: string) => ReadonlySet<string>;
}

const PLACES: ReadonlySet<unknown> = new Set<Place>(["path", "query", "header", "cookie"]);

/** What the specification says of them stands elsewhere (section 4.8.12.2). */
const NOT_PARAMETERS = new Set(["accept", "content-type", "authorization"]);

/** @param written those of the operation and, before them, those of its path: the later ones are stronger */
export const parameterChecks = (document: JsonObject, written: readonly unknown[]): CheckParameters => {
  const byName = new Map<string, Parameter>();
  let hasStrange = false;
  for (const each of written) {
    const parameter = parameterOf(document, each);
    if (parameter) byName.set(`${parameter.form.in} ${parameter.form.name}`, parameter);
    else hasStrange = true;
  }
  const parameters = [...byName.values()];

  return (texts, unknownQuery) => {
    const faults: ParameterFault[] = [];
    const unchecked: Unchecked[] = [];
    for (const parameter of parameters) {
      const { in: place, name } = parameter.form;
      const found = checkParameter(parameter, texts);
      if (typeof found === "string") unchecked.push(found);
      else
        for (const { path, message } of found)
          faults.push({ in: place, path: path === "" ? name : `${name}.${path}`, message });
    }
    // Where a parameter was not understood nobody knows which names are its.
    if (unknownQuery === "refuse" && !hasStrange) faults.push(...unknownNames(parameters, texts.query));
    return { faults: faults.slice(0, LIMITS.schemaFaults), unchecked };
  };
};

const unknownNames = (parameters: readonly Parameter[], query: URLSearchParams): ParameterFault[] =>
  [...new Set(query.keys())]
    .filter((name) => !parameters.some(({ form }) => form.in === "query" && isNamedBy(form, name)))
    .slice(0, LIMITS.schemaFaults)
    .map((name) => ({ in: "query", path: name.slice(0, 64), message: "expected no such parameter" }));

const checkParameter = (parameter: Parameter, texts: RequestTexts): ReturnType<Check> => {
  const { form, required, allowsEmpty, check, typesAt } = parameter;
  if (!isUnderstood(form)) return [];
  const written = writtenValue(form, texts);
  if (written === undefined)
    return required ? [{ path: "", message: "expected a value: it is required" }] : [];
  if (written === "" && allowsEmpty) return [];
  const value = coercedValue(written, typesAt);
  const found = check(value);
  if (typeof found === "string" || found.length === 0) return found;
  // Where a text may be a number or a text, it is enough that it is one of them.
  const asWritten = check(written);
  return typeof asWritten !== "string" && asWritten.length === 0 ? asWritten : found;
};

const parameterOf = (document: JsonObject, written: unknown): Parameter | undefined => {
  const own = resolved(document, written);
  const { name, in: place } = own ?? {};
  if (!own || typeof name !== "string" || !PLACES.has(place)) return undefined;
  // Values of a media type of their own are not looked at.
  const schema = own.schema ?? true;
  const types = typesOf(document, schema);
  const at = place as Place;
  const style = typeof own.style === "string" ? own.style : STYLES[at];
  const isHeader = at === "header";
  const form: ParameterForm = {
    name: isHeader ? name.toLowerCase() : name,
    in: at,
    kind: types.has("array") ? "list" : types.has("object") ? "fields" : "text",
    style,
    explode: typeof own.explode === "boolean" ? own.explode : style === "form",
    fields: fieldNames(document, schema),
  };
  const isIgnored = isHeader && NOT_PARAMETERS.has(form.name);
  return {
    form,
    required: !isIgnored && (own.required === true || at === "path"),
    allowsEmpty: own.allowEmptyValue === true,
    check: isIgnored ? () => [] : boundedCheck({ document, schema, of: "request" }),
    typesAt: typesAtOf(document, schema, form.kind),
  };
};

const STYLES: Readonly<Record<Place, string>> = {
  path: "simple",
  query: "form",
  header: "simple",
  cookie: "form",
};

const fieldNames = (document: JsonObject, schema: unknown): string[] =>
  entriesOf(resolved(document, schema)?.properties).map(([name]) => name);

const typesAtOf = (
  document: JsonObject,
  schema: unknown,
  kind: ParameterForm["kind"],
): Parameter["typesAt"] => {
  if (kind === "text") {
    const types = typesOf(document, schema);
    return () => types;
  }
  const node = resolved(document, schema);
  if (kind === "list") {
    const types = typesOf(document, node?.items);
    return () => types;
  }
  const others = typesOf(document, isJsonObject(node?.additionalProperties) ? node.additionalProperties : {});
  const byName = new Map(
    entriesOf(node?.properties).map(([name, inner]) => [name, typesOf(document, inner)]),
  );
  return (field = "") => byName.get(field) ?? others;
};
