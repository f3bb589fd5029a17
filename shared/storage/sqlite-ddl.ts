/** Names inside the statements that SQLite keeps of its tables and indexes, found among strings and comments. */

/** Strings, the three ways of quoting a name, comments, words, and whatever else. */
const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[\p{L}_][\p{L}\p{N}_$]*|\s+|[\s\S]/gu;

const tokensOf = (sql: string): string[] => sql.match(TOKEN) ?? [];

/** Lower case, as SQLite compares names; undefined for what is none. */
const nameOf = (token: string): string | undefined => {
  const quote = token[0] ?? "";
  if (quote === '"' || quote === "`")
    return token.slice(1, -1).replaceAll(`${quote}${quote}`, quote).toLowerCase();
  if (quote === "[") return token.slice(1, -1).toLowerCase();
  return /^[\p{L}_]/u.test(token) ? token.toLowerCase() : undefined;
};

const isBlank = (token: string): boolean => /^(?:\s|--|\/\*)/.test(token);

/** All names and words of a statement, in lower case. */
export const namesIn = (sql: string): string[] =>
  tokensOf(sql)
    .map(nameOf)
    .filter((name) => name !== undefined);

/** What two statements have to agree in to make the same table. */
export const normalised = (sql: string): string =>
  tokensOf(sql)
    .filter((token) => !isBlank(token))
    .map((token) => nameOf(token) ?? token)
    .join(" ");

/** The statement for another table or index: its name, and columns that are qualified by it, as in `CHECK ("t"."n" > 0)`. */
export const renamedIn = (sql: string, from: string, to: string): string => {
  const tokens = tokensOf(sql);
  let named = false;
  return tokens
    .map((token, index) => {
      if (nameOf(token) !== from.toLowerCase()) return token;
      const next = tokens.slice(index + 1).find((after) => !isBlank(after));
      if (named && next !== ".") return token;
      named = true;
      return `"${to}"`;
    })
    .join("");
};
