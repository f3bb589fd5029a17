/** Reads OTLP's key-value lists into plain records, bounded in count and length. */
import type { Attributes, AttributeValue } from "./stored-span.ts";

const ATTRIBUTES_MAX = 64;
const KEY_LENGTH_MAX = 200;
const TEXT_LENGTH_MAX = 4_096;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Cut to a length that a page can show; halves of surrogate pairs become U+FFFD, NUL disappears. */
export const asText = (value: unknown, lengthMax = TEXT_LENGTH_MAX): string =>
  typeof value === "string" ? value.slice(0, lengthMax).replaceAll("\0", "").toWellFormed() : "";

/** What is no key-value pair is left out, as are those over the bound. */
export const readAttributes = (list: unknown): Attributes =>
  Object.fromEntries(
    asList(list)
      .slice(0, ATTRIBUTES_MAX)
      .flatMap((pair) => {
        const key = isRecord(pair) ? asText(pair.key, KEY_LENGTH_MAX) : "";
        return isRecord(pair) && key !== "" ? [[key, attributeValue(pair.value)]] : [];
      }),
  );

const attributeValue = (value: unknown): AttributeValue => {
  const plain = plainValue(value, 0);
  return typeof plain === "object" && plain !== null ? asText(JSON.stringify(plain)) : plain;
};

type PlainValue = AttributeValue | PlainValue[] | { [key: string]: PlainValue };

const DEPTH_MAX = 8;

const plainValue = (value: unknown, depth: number): PlainValue => {
  if (!isRecord(value) || depth > DEPTH_MAX) return null;
  if ("stringValue" in value) return asText(value.stringValue);
  if ("boolValue" in value) return value.boolValue === true;
  if ("intValue" in value) return readInteger(value.intValue);
  if ("doubleValue" in value) return readDouble(value.doubleValue);
  if ("bytesValue" in value) return asText(value.bytesValue);
  if ("arrayValue" in value) return readArray(value.arrayValue, depth);
  if ("kvlistValue" in value) return readPairs(value.kvlistValue, depth);
  return null;
};

/** 64-bit integers travel as text; one that a number cannot hold stays text. */
const readInteger = (value: unknown): AttributeValue => {
  const number = typeof value === "string" && /^-?\d{1,20}$/.test(value) ? Number(value) : value;
  if (typeof number !== "number") return null;
  return Number.isSafeInteger(number) ? number : String(value);
};

const readDouble = (value: unknown): AttributeValue =>
  typeof value === "number" || value === "NaN" || value === "Infinity" || value === "-Infinity"
    ? value
    : null;

const readArray = (value: unknown, depth: number): PlainValue =>
  asList(isRecord(value) ? value.values : undefined)
    .slice(0, ATTRIBUTES_MAX)
    .map((item) => plainValue(item, depth + 1));

const readPairs = (value: unknown, depth: number): PlainValue =>
  Object.fromEntries(
    asList(isRecord(value) ? value.values : undefined)
      .slice(0, ATTRIBUTES_MAX)
      .flatMap((pair) =>
        isRecord(pair)
          ? [[asText(pair.key, KEY_LENGTH_MAX), plainValue(pair.value, depth + 1)] as const]
          : [],
      ),
  );
