/** Picks, from all that the validator reports, what tells most: the deepest misses, and of alternatives the nearest. */
import type { OutputUnit, Schema } from "@cfworker/json-schema";
import type { FieldFault } from "../http/problem.ts";
import { LIMITS } from "../limits.ts";
import type { CompiledNode, CompiledSchema } from "./schema-check-compile.ts";
import { SCHEMA_KEYWORDS } from "./schema-check-keywords.ts";
import { faultOf, type Miss } from "./schema-check-messages.ts";

interface Context {
  readonly schema: CompiledSchema;
  readonly value: unknown;
  readonly isSecret: (path: readonly string[]) => boolean;
}

/** Say only that something below them is wrong. */
const PARENTS: ReadonlySet<string> = new Set([
  "$ref",
  "allOf",
  "if",
  "properties",
  "patternProperties",
  "additionalProperties",
  "unevaluatedProperties",
  "items",
  "prefixItems",
  "unevaluatedItems",
  "dependentSchemas",
]);

const ALTERNATIVES: ReadonlySet<string> = new Set(["anyOf", "oneOf"]);

/** The parts of "#/a/b~1c%20d". */
const partsOf = (location: string): string[] =>
  location
    .split("/")
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"));

const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, part) => (inner as Record<string, unknown> | undefined)?.[part], value);

interface Rule {
  /** The schema that holds the keyword. */
  readonly node: Schema;
  /** The keyword is one of many tries, of which it is enough that some hold. */
  readonly aside: "contains" | undefined;
}

/** Follows a keyword's location through the schema, references included. */
const ruleAt = (location: string, schema: CompiledSchema): Rule => {
  const owner = partsOf(location).slice(0, -1);
  let node: CompiledNode = schema.root;
  let aside: Rule["aside"];
  for (let index = 0; index < owner.length && typeof node !== "boolean"; index++) {
    const keyword = owner[index] ?? "";
    if (keyword === "contains") aside = "contains";
    if (keyword === "$ref") node = schema.lookup[node.$ref ?? "#"] ?? true;
    else if (SCHEMA_KEYWORDS.has(keyword)) node = node[keyword];
    else node = node[keyword]?.[owner[++index] ?? ""] ?? true;
  }
  return { node: typeof node === "boolean" ? {} : node, aside };
};

const missOf = (unit: OutputUnit, keyword: string, rule: unknown, context: Context): Miss => {
  const path = partsOf(unit.instanceLocation);
  return { keyword, rule, path, found: valueAt(context.value, path), secret: context.isSecret(path) };
};

/** A field that is not there has a path of its own. */
const missing = (unit: OutputUnit, names: readonly string[], context: Context): Miss[] => {
  const path = partsOf(unit.instanceLocation);
  const owner = valueAt(context.value, path) as object;
  return names
    .filter((name) => !Object.hasOwn(owner, name))
    .map((name) => ({
      keyword: "required",
      rule: name,
      path: [...path, name],
      found: undefined,
      secret: false,
    }));
};

/** The fields that those which are there ask for. */
const dependents = (unit: OutputUnit, node: Schema, context: Context): string[] => {
  const owner = valueAt(context.value, partsOf(unit.instanceLocation)) as object;
  return Object.entries(node.dependentRequired ?? {}).flatMap(([name, needed]) =>
    Object.hasOwn(owner, name) ? needed : [],
  );
};

/** The units that the unit at `start` reported on behalf of: what stands right behind it and lies below it. */
const endOf = (units: readonly OutputUnit[], start: number): number => {
  const parent = units[start];
  let end = start + 1;
  const below = (unit: OutputUnit | undefined): boolean =>
    unit !== undefined &&
    (unit.keyword === "false" || unit.keywordLocation.startsWith(`${parent?.keywordLocation}/`)) &&
    (unit.instanceLocation === parent?.instanceLocation ||
      unit.instanceLocation.startsWith(`${parent?.instanceLocation}/`));
  while (below(units[end])) end++;
  return end;
};

/** The units of each alternative; a boolean `false` has no location of its own and goes with what stands before it. */
const branchesOf = (units: readonly OutputUnit[], location: string): OutputUnit[][] => {
  const branches = new Map<string, OutputUnit[]>();
  let current = "";
  for (const unit of units) {
    if (unit.keyword !== "false")
      current = unit.keywordLocation.slice(location.length + 1).split("/", 1)[0] ?? "";
    const branch = branches.get(current) ?? [];
    branch.push(unit);
    branches.set(current, branch);
  }
  return [...branches.values()];
};

/** How far a value is from an alternative: another kind of value is farther than another tag, that farther than a mistake. */
const distance = (misses: readonly Miss[], depth: number): number =>
  misses.reduce((sum, { keyword, path }) => {
    if (path.length === depth) return sum + 10_000;
    return sum + (keyword === "const" || keyword === "enum" ? 100 : 1);
  }, 0);

const alternatives = (
  parent: OutputUnit,
  below: readonly OutputUnit[],
  node: Schema,
  context: Context,
): Miss[] => {
  const branches = branchesOf(below, parent.keywordLocation).map((units) => missesOf(units, context));
  const own = missOf(parent, parent.keyword, undefined, context);
  if (parent.keyword === "oneOf" && (node.oneOf?.length ?? 0) - branches.length > 1)
    return [{ ...own, keyword: "several" }];
  const depth = own.path.length;
  const [nearest = []] = branches.toSorted((one, two) => distance(one, depth) - distance(two, depth));
  if (!nearest.some(({ path }) => path.length === depth)) return nearest;
  const here = branches.flat().filter(({ path }) => path.length === depth);
  const types = here.every(({ keyword }) => keyword === "type");
  return types
    ? [{ ...own, keyword: "type", rule: [...new Set(here.flatMap(({ rule }) => rule))] }]
    : nearest;
};

/** What a unit says by itself, without those below it. */
const ownMisses = (unit: OutputUnit, node: Schema, context: Context): Miss[] => {
  switch (unit.keyword) {
    case "required":
      return missing(unit, node.required ?? [], context);
    case "dependentRequired":
      return missing(unit, dependents(unit, node, context), context);
    default:
      return [missOf(unit, unit.keyword, node[unit.keyword], context)];
  }
};

const missesOf = (units: readonly OutputUnit[], context: Context): Miss[] => {
  const misses: Miss[] = [];
  let index = 0;
  while (index < units.length && misses.length < LIMITS.schemaFaults * 2) {
    const unit = units[index] as OutputUnit;
    const isBranching = ALTERNATIVES.has(unit.keyword) || unit.keyword === "propertyNames";
    const end = isBranching ? endOf(units, index) : index + 1;
    const below = units.slice(index + 1, end);
    index = end;
    const { node, aside } = ruleAt(unit.keyword === "false" ? "#" : unit.keywordLocation, context.schema);
    if (PARENTS.has(unit.keyword) || aside === "contains") continue;
    if (ALTERNATIVES.has(unit.keyword)) misses.push(...alternatives(unit, below, node, context));
    else if (isBranching) misses.push(missOf(below[0] ?? unit, unit.keyword, undefined, context));
    else misses.push(...ownMisses(unit, node, context));
  }
  return misses;
};

/** At most `LIMITS.schemaFaults`, none twice. */
export const tellingFaults = (units: readonly OutputUnit[], context: Context): FieldFault[] => {
  const faults = missesOf(units, context).map(faultOf);
  const different = new Map(faults.map((fault) => [JSON.stringify(fault), fault]));
  return [...different.values()].slice(0, LIMITS.schemaFaults);
};
