/** Turns a StockCode or CustomerID of a retail file into an id that every URL, header and subject accepts. */
import { createHash } from "node:crypto";
import { AGGREGATE_ID } from "#shared/events/event.ts";

const SAFE = /^[A-Za-z0-9-]$/;

/**
 * Letters, digits and "-" stand for themselves; every other byte (UTF-8) becomes `_` and two hex digits, so that
 * `BANK CHARGES` is `BANK_20CHARGES` and no two codes meet. What is longer than 64 characters then is `_h` and
 * 60 hex digits of its SHA-256, which no escape can begin with; that one cannot be turned back.
 */
export const idFromCode = (code: string): string => {
  let id = "";
  for (const byte of Buffer.from(code, "utf8")) {
    const char = String.fromCharCode(byte);
    id += SAFE.test(char) ? char : `_${byte.toString(16).padStart(2, "0")}`;
  }
  return AGGREGATE_ID.test(id) ? id : `_h${createHash("sha256").update(code).digest("hex").slice(0, 60)}`;
};

/** The code that {@link idFromCode} was given, or undefined for a hashed one. */
export const codeFromId = (id: string): string | undefined => {
  if (id.startsWith("_h")) return undefined;
  const bytes = id.replace(/_([0-9a-f]{2})|[^_]/g, (match, hex) => hex ?? match.charCodeAt(0).toString(16));
  return Buffer.from(bytes, "hex").toString("utf8");
};
