/** What a table of routes must answer, found by trying every route: slow, obvious, and made of nothing that the table is made of. */
import type { WrittenMatch, WrittenRoute, WrittenValue } from "./route-schema.ts";

export interface NaiveQuestion {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly url: string;
}

export interface NaiveAnswer {
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
}

type Routes = Readonly<Record<string, WrittenRoute>>;

/** @param point what every draw of this request is made by, in [0, 1) */
export const naiveFind = (
  routes: Routes,
  question: NaiveQuestion,
  point: number,
): NaiveAnswer | undefined => {
  const candidates = Object.entries(routes).flatMap(([name, { match, priority = 0 }]) =>
    [match.path ?? "/*"].flat().flatMap((pattern, place) => {
      const params = pathParams(pattern, question.path);
      const matches = params && matchesAll(match, question) && isDrawn(routes, name, match, point);
      return matches ? [{ name, params, order: orderOf(name, match, priority, pattern, place) }] : [];
    }),
  );
  const [first] = candidates.sort((one, other) => compareOrders(one.order, other.order));
  return first && { name: first.name, params: first.params };
};

type Order = readonly (number | string)[];

const orderOf = (name: string, match: WrittenMatch, priority: number, path: string, place: number): Order => {
  const host = match.host?.toLowerCase();
  const wildcard = host?.startsWith("*.") === true;
  const shape = segmentsOf(path)
    .map((segment) => (segment === "*" ? "9" : segment.startsWith(":") ? "2" : "1"))
    .join("");
  const { headers = {}, query = {}, cookies = {}, methods, contentType, accept, weight } = match;
  const conditions =
    [headers, query, cookies].flatMap((each) => Object.keys(each)).length +
    [methods, host, contentType, accept, weight].filter((each) => each !== undefined).length;
  return [
    -priority,
    host === undefined ? 2 : wildcard ? 1 : 0,
    wildcard ? -(host?.length ?? 0) : 0,
    `${shape}5`,
    -conditions,
    methods?.includes("HEAD") ? 0 : 1,
    name,
    place,
  ];
};

const compareOrders = (one: Order, other: Order): number => {
  for (const [index, mine] of one.entries()) {
    const theirs = other[index] as number | string;
    if (mine !== theirs) return mine < theirs ? -1 : 1;
  }
  return 0;
};

const segmentsOf = (path: string): string[] => {
  const segments = path.slice(1).split("/");
  if (segments.at(-1) === "") segments.pop();
  return segments;
};

const decoded = (segment: string): string | undefined => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
};

const pathParams = (pattern: string, path: string): Record<string, string> | undefined => {
  const wanted = segmentsOf(pattern);
  const given = segmentsOf(path);
  if (given.some((segment) => [".", ".."].includes(decoded(segment) ?? ""))) return undefined;
  const rest = wanted.at(-1) === "*";
  if (rest) wanted.pop();
  if (rest ? given.length < wanted.length : given.length !== wanted.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const text = given[index] as string;
    if (segment.startsWith(":")) {
      if (text === "") return undefined;
      params[segment.slice(1)] = decoded(text) ?? text;
    } else if (decoded(text) === undefined || decoded(text) !== decoded(segment)) return undefined;
  }
  return params;
};

const matchesAll = (match: WrittenMatch, { method, headers, url }: NaiveQuestion): boolean => {
  const { hostname, searchParams } = new URL(url);
  const cookies = (headers.get("cookie") ?? "").split(";").map((each) => each.trim().split("="));
  const cookie = (name: string) => cookies.find(([given]) => given === name)?.[1];
  return (
    (match.methods?.some((each) => each === method || (each === "GET" && method === "HEAD")) ?? true) &&
    matchesHost(match.host?.toLowerCase(), hostname) &&
    fitAll(match.headers, (name) => headers.get(name) ?? undefined) &&
    fitAll(match.query, (name) => searchParams.get(name) ?? undefined) &&
    fitAll(match.cookies, cookie) &&
    matchesTypes(match.contentType, headers.get("content-type")) &&
    matchesTypes(match.accept, headers.get("accept"))
  );
};

const matchesHost = (pattern: string | undefined, host: string): boolean => {
  if (pattern === undefined) return true;
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
};

const fitAll = (
  wanted: Readonly<Record<string, WrittenValue>> | undefined,
  given: (name: string) => string | undefined,
): boolean => Object.entries(wanted ?? {}).every(([name, test]) => fits(test, given(name)));

const fits = (test: WrittenValue, value: string | undefined): boolean => {
  if (typeof test === "string") return value === test;
  if ("present" in test) return test.present === (value !== undefined);
  return "prefix" in test ? (value ?? "").startsWith(test.prefix) : value !== test.not;
};

/** Of plain types without parameters, which is what the comparison draws. */
const matchesTypes = (wanted: string | readonly string[] | undefined, header: string | null): boolean => {
  if (wanted === undefined) return true;
  const given = (header ?? "").split(",").map((each) => each.trim());
  return [wanted].flat().some((type) => given.includes(type));
};

const isDrawn = (routes: Routes, name: string, { weight }: WrittenMatch, point: number): boolean => {
  if (!weight) return true;
  const members = Object.keys(routes)
    .sort()
    .filter((each) => routes[each]?.match.weight?.group === weight.group);
  const shares = members.map((each) => routes[each]?.match.weight?.share ?? 0);
  const all = shares.reduce((sum, share) => sum + share, 0);
  let sum = 0;
  const drawn = members.find((_, index) => {
    sum += shares[index] ?? 0;
    return point * all < sum;
  });
  return drawn === name;
};
