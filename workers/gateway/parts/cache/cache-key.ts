/** What a stored answer is found by: the address, without what the settings leave out. */
import type { CacheSettings } from "./cache-settings.ts";

/** From an absolute URL to the key of all answers that it has. */
export type CacheKey = (url: string) => string;

/** Parameters keep their order and their writing, for a service may mind both. */
export const cacheKey = ({ by }: Pick<CacheSettings, "by">): CacheKey => {
  const query = by?.query;
  if (query === undefined) return withoutFragment;
  const included = "include" in query;
  const named = namedBy("include" in query ? query.include : query.ignore);
  return (url) => {
    const whole = withoutFragment(url);
    const start = whole.indexOf("?");
    if (start < 0) return whole;
    const kept = whole
      .slice(start + 1)
      .split("&")
      .filter((pair) => pair !== "" && named(parameterName(pair)) === included);
    return kept.length === 0 ? whole.slice(0, start) : `${whole.slice(0, start)}?${kept.join("&")}`;
  };
};

const withoutFragment = (url: string): string => {
  const hash = url.indexOf("#");
  return hash < 0 ? url : url.slice(0, hash);
};

const namedBy = (names: readonly string[]): ((name: string) => boolean) => {
  const exact = new Set(names);
  const beginnings = names.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
  return (name) => exact.has(name) || beginnings.some((beginning) => name.startsWith(beginning));
};

/** As a service would read it: two writings of one name are one parameter. */
const parameterName = (pair: string): string => new URLSearchParams(pair).keys().next().value ?? "";
