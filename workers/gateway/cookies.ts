/** The one reader of `Cookie` headers (RFC 6265bis section 5.8.3), linear in what it looks at and bounded. */
import { LIMITS } from "#shared/limits.ts";

/**
 * The value of the first cookie of this name, as it was sent; undefined when there is none.
 * Only the first `LIMITS.cookieHeaderCharacters` are looked at: a cookie that ends beyond them is not there.
 * @param header the `Cookie` header's value
 */
export const cookieOf = (header: string, name: string): string | undefined => {
  let found: string | undefined;
  walk(header, (start, end) => {
    if (!isNamed(header, start, name)) return true;
    found = header.slice(start + name.length + 1, end);
    return false;
  });
  return found;
};

/** The same header without every cookie of this name; undefined when none remains. */
export const cookiesWithout = (header: string, name: string): string | undefined => {
  const kept: string[] = [];
  walk(header, (start, end) => {
    if (end > start && !isNamed(header, start, name)) kept.push(header.slice(start, end));
    return true;
  });
  return kept.length === 0 ? undefined : kept.join("; ");
};

const isNamed = (header: string, start: number, name: string): boolean =>
  header.startsWith(name, start) && header[start + name.length] === "=";

/** Tells of each `name=value` where it starts and ends, without the blanks around it, as long as `visit` wants more. */
const walk = (header: string, visit: (start: number, end: number) => boolean): void => {
  const last = Math.min(header.length, LIMITS.cookieHeaderCharacters);
  for (let at = 0; at < last; ) {
    const semicolon = header.indexOf(";", at);
    const next = semicolon < 0 ? header.length : semicolon;
    if (next > last) return;
    let start = at;
    let end = next;
    while (start < end && isBlank(header, start)) start++;
    while (end > start && isBlank(header, end - 1)) end--;
    if (!visit(start, end)) return;
    at = next + 1;
  }
};

const isBlank = (text: string, at: number): boolean => text[at] === " " || text[at] === "\t";
