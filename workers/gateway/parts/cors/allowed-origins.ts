/** Whose pages may read: a list of origins and patterns, compiled once. */

/** Any origin, or whether one, as a browser wrote it, is allowed. `null`, the origin of what has none, never is. */
export type AllowedOrigins = "*" | ((origin: string) => boolean);

export const allowedOrigins = (written: "*" | readonly string[]): AllowedOrigins => {
  if (written === "*") return "*";
  const exact = new Set(written.filter((each) => !each.includes("*")));
  const patterns = written.filter((each) => each.includes("*")).map(patternOf);
  return (origin) => exact.has(origin) || patterns.some((matches) => matches(origin));
};

const LABELS = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/;
/** A whole host has at most 253. */
const LABELS_CHARACTERS = 253;

const patternOf = (written: string): ((origin: string) => boolean) => {
  const [scheme = "", rest = ""] = written.split("*", 2);
  return (origin) => {
    const labels = origin.slice(scheme.length, origin.length - rest.length);
    return (
      origin.startsWith(scheme) &&
      origin.endsWith(rest) &&
      labels.length <= LABELS_CHARACTERS &&
      LABELS.test(labels)
    );
  };
};
