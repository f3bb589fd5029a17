/** Local references of documents: "#/components/schemas/a~1b" and back. */

/** The parts of "#/a/b~1c%20d"; undefined when the reference does not stay inside of its document. */
export const pointerParts = (reference: string): string[] | undefined => {
  if (!reference.startsWith("#/")) return undefined;
  try {
    return decodeURIComponent(reference.slice(2))
      .split("/")
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  } catch {
    return undefined;
  }
};

/** As a URI fragment (RFC 6901 section 6). */
export const pointerOf = (parts: readonly string[]): string => `#${parts.map(encoded).join("")}`;

const encoded = (part: string): string => {
  const escaped = part.toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1");
  return `/${encodeURI(escaped).replaceAll("#", "%23")}`;
};

/** What stands there; undefined when nothing does. */
export const valueAt = (document: unknown, parts: readonly string[]): unknown =>
  parts.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, part)
        ? (value as Record<string, unknown>)[part]
        : undefined,
    document,
  );
