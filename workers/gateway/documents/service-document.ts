/** A service's OpenAPI document as it is read from the wire: JSON within bounds, of a version that is understood. */
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The entries of an object, none of anything else: documents come from services, and may be anything. */
export const entriesOf = (value: unknown): [string, unknown][] =>
  isJsonObject(value) ? Object.entries(value) : [];

/** A document, and whose it is. Never changed: other parts remember by it what they made of it. */
export interface ServiceDocument {
  readonly service: string;
  readonly major: number;
  readonly document: JsonObject;
  /** Of its text. */
  readonly characters: number;
  /** Of its text: two fetches of the same text have the same. */
  readonly digest: string;
}

/** The paths of a service begin so: "/orders/v1". */
export const basePathOf = ({ service, major }: Pick<ServiceDocument, "service" | "major">): string =>
  `/${service}/v${major}`;

/** Never throws; the refusal says in a few words why it is none. */
export const readDocument = (text: string): Result<JsonObject, string> => {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return err("it is not JSON");
  }
  if (!isJsonObject(document)) return err("it is no object");
  if (typeof document.openapi !== "string" || !/^3\.[01]\.\d+/.test(document.openapi))
    return err('it is no OpenAPI document: expected "openapi" to be 3.1 or 3.0');
  if (!isWithinBounds(document)) {
    return err(
      `expected at most ${LIMITS.openApiDepth} levels and ${LIMITS.openApiNodes} values, and it has more`,
    );
  }
  return ok(document);
};

/** Level by level, without recursion, so that nothing that recurses later meets the depth. */
const isWithinBounds = (document: JsonObject): boolean => {
  let level: unknown[] = [document];
  let nodes = 0;
  for (let depth = 0; level.length > 0; depth++) {
    nodes += level.length;
    if (depth > LIMITS.openApiDepth || nodes > LIMITS.openApiNodes) return false;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      for (const inner of Object.values(value)) next.push(inner);
    }
    level = next;
  }
  return true;
};
