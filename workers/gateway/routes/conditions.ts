/** What a route asks of a request beside its path, as data; those of exact values are looked up, the others tried. */
import { fitsMediaType, isAccepted, type MediaType, parseMediaTypes } from "./media-type.ts";
import type { RequestFacts, ValueSource } from "./request-facts.ts";
import { listed, type WrittenMatch, type WrittenValue } from "./route-schema.ts";
import type { WeightGroups } from "./weight-groups.ts";

export type Condition =
  | { readonly kind: "host"; readonly host: string }
  /** `domain` without its `*.`. */
  | { readonly kind: "below"; readonly domain: string }
  /** With `HEAD` wherever `GET` is. `namesHead`: it is written there itself. */
  | { readonly kind: "methods"; readonly methods: readonly string[]; readonly namesHead: boolean }
  | {
      readonly kind: "equals" | "prefix" | "not";
      readonly source: ValueSource;
      readonly name: string;
      readonly value: string;
    }
  | {
      readonly kind: "present";
      readonly source: ValueSource;
      readonly name: string;
      readonly present: boolean;
    }
  | { readonly kind: "content_type" | "accept"; readonly types: readonly MediaType[] }
  | { readonly kind: "drawn"; readonly group: number; readonly member: number };

type ValueCondition = Extract<Condition, { readonly source: ValueSource }>;

/** In the order in which they are tried: what costs least first, values by name. */
export const conditionsOf = (match: WrittenMatch, groups: WeightGroups): Condition[] => {
  const conditions: Condition[] = [];
  const { host, methods, contentType, accept, weight } = match;
  if (methods) conditions.push(methodsCondition(methods));
  if (host !== undefined) conditions.push(hostCondition(host));
  for (const [source, written] of [
    ["header", match.headers],
    ["query", match.query],
    ["cookie", match.cookies],
  ] as const) {
    const values = Object.entries(written ?? {}).map(([name, value]) =>
      valueCondition(source, source === "header" ? name.toLowerCase() : name, value),
    );
    conditions.push(...values.sort((one, other) => (one.name < other.name ? -1 : 1)));
  }
  if (contentType !== undefined) conditions.push({ kind: "content_type", types: typesOf(contentType) });
  if (accept !== undefined) conditions.push({ kind: "accept", types: typesOf(accept) });
  if (weight) conditions.push({ kind: "drawn", ...groups.add(weight.group, weight.share) });
  return conditions;
};

export const holds = (condition: Condition, facts: RequestFacts, groups: WeightGroups): boolean => {
  switch (condition.kind) {
    case "host":
      return facts.host() === condition.host;
    case "below":
      return isBelow(facts.host(), condition.domain);
    case "methods":
      return condition.methods.includes(facts.method());
    case "equals":
      return facts.value(condition.source, condition.name) === condition.value;
    case "prefix":
      return facts.value(condition.source, condition.name)?.startsWith(condition.value) === true;
    case "not":
      return facts.value(condition.source, condition.name) !== condition.value;
    case "present":
      return (facts.value(condition.source, condition.name) !== undefined) === condition.present;
    case "content_type":
      return fitsOne(condition.types, facts.contentTypes());
    case "accept":
      return condition.types.some((type) => isAccepted(type, facts.accepted()));
    case "drawn":
      return groups.drawn(condition.group) === condition.member;
  }
};

/** Who may GET may ask for the same without its body (RFC 9110 section 9.3.2), and must not get past the route by it. */
const methodsCondition = (written: readonly string[]): Condition => {
  const namesHead = written.includes("HEAD");
  const methods = namesHead || !written.includes("GET") ? written : [...written, "HEAD"];
  return { kind: "methods", methods, namesHead };
};

const hostCondition = (written: string): Condition => {
  const host = written.toLowerCase().replace(/\.$/, "");
  return host.startsWith("*.") ? { kind: "below", domain: host.slice(2) } : { kind: "host", host };
};

const valueCondition = (source: ValueSource, name: string, value: WrittenValue): ValueCondition => {
  if (typeof value === "string") return { kind: "equals", source, name, value };
  if ("present" in value) return { kind: "present", source, name, present: value.present };
  return "prefix" in value
    ? { kind: "prefix", source, name, value: value.prefix }
    : { kind: "not", source, name, value: value.not };
};

const typesOf = (written: string | readonly string[]): MediaType[] =>
  listed(written).flatMap((each) => parseMediaTypes(each).slice(0, 1));

const isBelow = (host: string, domain: string): boolean =>
  host.length > domain.length + 1 && host.endsWith(domain) && host[host.length - domain.length - 1] === ".";

/** A body has one type: a header that names several names none. */
const fitsOne = (wanted: readonly MediaType[], given: readonly MediaType[]): boolean => {
  const [only, ...more] = given;
  return only !== undefined && more.length === 0 && wanted.some((type) => fitsMediaType(type, only));
};
