/** What the parts of one service's document are called in the merged one, and where its references lead there. */
import { canonicalJson } from "#shared/http/canonical-json.ts";
import { pointerOf, pointerParts, valueAt } from "./json-pointer.ts";
import { basePathOf, entriesOf, isJsonObject, type ServiceDocument } from "./service-document.ts";

export interface DocumentNames {
  /** Stands before every name: "orders.v1". */
  readonly prefix: string;
  /** "placeOrder" becomes "orders.v1.placeOrder". */
  prefixed(name: string): string;
  /** Undefined when the document has no such component. */
  component(section: string, name: string): string | undefined;
  /** As clients of the gateway call it; undefined for what cannot be called through it. */
  path(path: string): string | undefined;
  /** Undefined when it leads out of the document, or nowhere. */
  reference(reference: string): string | undefined;
}

export const COMPONENT_SECTIONS = [
  "schemas",
  "responses",
  "parameters",
  "examples",
  "requestBodies",
  "headers",
  "securitySchemes",
  "links",
  "callbacks",
  "pathItems",
] as const;

/** The one schema that services have in common: what they refuse with. */
export const SHARED_SCHEMA = "Problem";

/** Its text, to tell whether two are the same; undefined where there is none that stands by itself. */
export const sharedSchemaOf = ({ document }: Pick<ServiceDocument, "document">): string | undefined => {
  const schema = valueAt(document, ["components", "schemas", SHARED_SCHEMA]);
  if (!isJsonObject(schema)) return undefined;
  const text = canonicalJson(schema);
  return text.includes('"$ref"') ? undefined : text;
};

/** @param shared the text of the shared schema that keeps its own name */
export const documentNames = (own: ServiceDocument, shared: string | undefined): DocumentNames => {
  const { document } = own;
  const prefix = `${own.service}.v${own.major}`;
  const prefixed = (name: string) => `${prefix}.${name}`;
  const keepsShared = shared !== undefined && sharedSchemaOf(own) === shared;
  const sections = new Map(
    COMPONENT_SECTIONS.map((section) => [section as string, componentNames(document, section, prefixed)]),
  );
  if (keepsShared) sections.get("schemas")?.set(SHARED_SCHEMA, SHARED_SCHEMA);
  const component = (section: string, name: string) => sections.get(section)?.get(name);
  const path = pathNames(own);

  const movedParts = ([root, first = "", second = "", ...rest]: string[]): string[] | undefined => {
    if (root === "components") {
      const name = component(first, second);
      return name === undefined ? undefined : [root, first, name, ...rest];
    }
    const below = second === "" && rest.length === 0 ? [] : [second, ...rest];
    if (root === "webhooks") return [root, prefixed(first), ...below];
    const moved = root === "paths" ? path(first) : undefined;
    return moved === undefined ? undefined : ["paths", moved, ...below];
  };

  return {
    prefix,
    prefixed,
    component,
    path,
    reference(reference) {
      const parts = pointerParts(reference);
      if (!parts || valueAt(document, parts) === undefined) return undefined;
      const moved = movedParts(parts);
      return moved && pointerOf(moved);
    },
  };
};

/** Names of components may only hold these (OpenAPI 3.1 section 4.8.7.1). */
const NOT_OF_NAMES = /[^A-Za-z0-9._-]/g;

const componentNames = (
  document: unknown,
  section: string,
  prefixed: (name: string) => string,
): Map<string, string> => {
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const [name] of entriesOf(valueAt(document, ["components", section]))) {
    const wanted = prefixed(name.replace(NOT_OF_NAMES, "_"));
    let free = wanted;
    for (let count = 2; taken.has(free); count++) free = `${wanted}_${count}`;
    taken.add(free);
    names.set(name, free);
  }
  return names;
};

/**
 * A document's paths may stand below its server's path. Where none of them then is one that the gateway sends to the service, they
 * are taken to stand below the service's own.
 */
const pathNames = (own: ServiceDocument): DocumentNames["path"] => {
  const base = basePathOf(own);
  const server = serverPathOf(own);
  const isBelow = (path: string) => path === base || path.startsWith(`${base}/`);
  const written = entriesOf(own.document.paths).map(([path]) => `${server}${path}`);
  const areRelative = written.length > 0 && !written.some(isBelow);
  return (path) => {
    if (!path.startsWith("/")) return undefined;
    if (areRelative) return `${base}${path}`;
    return isBelow(`${server}${path}`) ? `${server}${path}` : undefined;
  };
};

const serverPathOf = ({ document }: ServiceDocument): string => {
  const first = Array.isArray(document.servers) ? document.servers[0] : undefined;
  if (!isJsonObject(first) || typeof first.url !== "string") return "";
  return URL.parse(first.url, "http://service/")?.pathname.replace(/\/+$/, "") ?? "";
};
