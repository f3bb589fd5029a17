/** `Cache-Control` as data (RFC 9111 section 5.2), read leniently: quotes, blanks and repetitions do no harm. */

/** Directives by their lower-case name; `undefined` as a value: it was given none. */
export type CacheControl = ReadonlyMap<string, string | undefined>;

/** Longer times are taken for this one (RFC 9111 section 1.2.2). */
const DELTA_SECONDS_MAX = 2 ** 31;

const NONE: CacheControl = new Map();
const BLANK = /[ \t]/;

/** Of a directive that is repeated the first stands (section 4.2.1). Any text is read, in one pass. */
export const parseCacheControl = (field: string | null): CacheControl => {
  if (field === null) return NONE;
  const directives = new Map<string, string | undefined>();
  let at = 0;
  while (at < field.length) {
    const nameEnd = indexOfAny(field, ",=", at);
    const name = field.slice(at, nameEnd).trim().toLowerCase();
    let value: string | undefined;
    at = nameEnd;
    if (field[at] === "=") [value, at] = argument(field, at + 1);
    if (name !== "" && !directives.has(name)) directives.set(name, value);
    at = indexOfAny(field, ",", at) + 1;
  }
  return directives;
};

/** Undefined when the directive is absent; 0 when it is there and holds no whole number, which is the careful reading. */
export const secondsOf = (directives: CacheControl, name: string): number | undefined => {
  if (!directives.has(name)) return undefined;
  const value = directives.get(name) ?? "";
  return /^\d+$/.test(value) ? Math.min(Number(value), DELTA_SECONDS_MAX) : 0;
};

/** What comes after `=`: a quoted text or everything up to the comma; and where it ends. */
const argument = (field: string, from: number): [string, number] => {
  let at = from;
  while (BLANK.test(field[at] ?? "")) at++;
  if (field[at] !== '"') {
    const end = indexOfAny(field, ",", at);
    return [field.slice(at, end).trim(), end];
  }
  let text = "";
  for (at++; at < field.length && field[at] !== '"'; at++) {
    if (field[at] === "\\" && at + 1 < field.length) at++;
    text += field[at];
  }
  return [text.trim(), Math.min(at + 1, field.length)];
};

const indexOfAny = (text: string, characters: string, from: number): number => {
  for (let at = from; at < text.length; at++) if (characters.includes(text.charAt(at))) return at;
  return text.length;
};
