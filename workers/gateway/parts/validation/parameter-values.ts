/** Reads a parameter's value as the request writes it: texts, lists and fields of texts, by style and explode. */
import type { JsonObject } from "../../documents/service-document.ts";

export interface RequestTexts {
  readonly path: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly cookie: (name: string) => string | undefined;
}

export type Place = "path" | "query" | "header" | "cookie";

export interface ParameterForm {
  readonly name: string;
  readonly in: Place;
  readonly kind: "text" | "list" | "fields";
  readonly style: string;
  readonly explode: boolean;
  /** Of an object whose fields are query parameters of their own. */
  readonly fields: readonly string[];
}

export type WrittenValue = string | readonly string[] | Readonly<Record<string, string>>;

const SEPARATORS: Readonly<Record<string, string>> = { spaceDelimited: " ", pipeDelimited: "|" };

/** The styles of OpenAPI 3.1 section 4.8.12.3 that are understood; values of others are not looked at. */
export const isUnderstood = ({ in: place, kind, style, explode }: ParameterForm): boolean => {
  if (style === "deepObject") return place === "query" && kind === "fields";
  if (place === "query" && kind === "list") return style === "form" || (style in SEPARATORS && !explode);
  if (kind === "fields") return place === "query" && style === "form" && explode;
  return style === (place === "query" || place === "cookie" ? "form" : "simple");
};

/** Undefined when the request does not have it. Percent-decoding that fails leaves the text as it is. */
export const writtenValue = (form: ParameterForm, texts: RequestTexts): WrittenValue | undefined => {
  if (form.kind === "fields") return fieldsOf(form, texts.query);
  if (form.in === "query" && form.kind === "list" && form.explode) {
    const all = texts.query.getAll(form.name);
    return all.length > 0 ? all : undefined;
  }
  const text = textOf(form, texts);
  if (text === undefined || form.kind === "text") return text;
  return text === "" ? [] : text.split(SEPARATORS[form.style] ?? ",").map((item) => item.trim());
};

/** Whether a query parameter of this name is this one. */
export const isNamedBy = (form: ParameterForm, name: string): boolean => {
  if (form.kind !== "fields") return form.name === name;
  return form.style === "deepObject" ? name.startsWith(`${form.name}[`) : form.fields.includes(name);
};

const textOf = ({ name, in: place }: ParameterForm, texts: RequestTexts): string | undefined => {
  switch (place) {
    case "path":
      return decoded(texts.path.get(name));
    case "query":
      return texts.query.get(name) ?? undefined;
    case "header":
      return texts.headers.get(name) ?? undefined;
    case "cookie":
      return decoded(texts.cookie(name));
  }
};

const decoded = (text: string | undefined): string | undefined => {
  if (!text?.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const fieldsOf = (form: ParameterForm, query: URLSearchParams): WrittenValue | undefined => {
  const entries = [...query].flatMap(([name, value]): [string, string][] => {
    if (!isNamedBy(form, name)) return [];
    if (form.style !== "deepObject") return [[name, value]];
    const field = name.slice(form.name.length);
    // Nothing says how fields within fields would be written.
    return /^\[[^[\]]*\]$/.test(field) ? [[field.slice(1, -1), value]] : [];
  });
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
};

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A text as the first of the types that it can be; a text, where it can be none of them. */
export const coerced = (text: string, types: ReadonlySet<string>): unknown => {
  if ((types.has("integer") || types.has("number")) && NUMBER.test(text)) return Number(text);
  if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
  if (types.has("null") && (text === "null" || text === "")) return null;
  return text;
};

/** @param typesAt of the items of a list, of a field by its name, of the text itself */
export const coercedValue = (
  written: WrittenValue,
  typesAt: (field?: string) => ReadonlySet<string>,
): unknown => {
  if (typeof written === "string") return coerced(written, typesAt());
  if (isList(written)) return written.map((item) => coerced(item, typesAt()));
  const entries = Object.entries(written as JsonObject).map(([name, text]): [string, unknown] => [
    name,
    coerced(String(text), typesAt(name)),
  ]);
  return Object.fromEntries(entries);
};

const isList = (written: WrittenValue): written is readonly string[] => Array.isArray(written);
