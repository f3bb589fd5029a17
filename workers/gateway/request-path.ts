/** The path of a request as it stands in its URL, and whether it is the same for whoever reads it. */

/**
 * Of an absolute URL, without query, not decoded; "/" where it has none, as "OPTIONS *" has none. By hand, because it runs
 * for every request and `new URL` costs more than all the rest of routing.
 */
export const requestPath = (url: string): string => {
  const authority = url.indexOf("://") + 3;
  const query = url.indexOf("?", authority);
  const fragment = url.indexOf("#", authority);
  const end = Math.min(query < 0 ? url.length : query, fragment < 0 ? url.length : fragment);
  const start = url.indexOf("/", authority);
  return start < 0 || start > end ? "/" : url.slice(start, end);
};

/** What the URL standard may read otherwise than it stands: dot segments, backslashes, and what it leaves out. */
const SUSPECT = /[\\\t\n\r]|\/(?:\.|%2e)/i;

/**
 * False when the URL standard makes another path of it, as of "/control/v1/../../internal/changes": the gateway would go by one
 * and a service by the other. Clients that keep to the standard send no such path.
 */
export const isSameForAll = (path: string, url: string): boolean =>
  url.includes("://") && (!SUSPECT.test(path) || URL.parse(url)?.pathname === path);

/** Several slashes as one: services mostly read them so, and nobody is to get past a route by them. */
export const withoutEmptySegments = (path: string): string =>
  path.includes("//") ? path.replace(/\/{2,}/g, "/") : path;

const ESCAPED_SLASH = /%(?:2f|5c)/i;

/** Whether there is a slash or a backslash as `%2F` or `%5C`: some services go by it as by one that is not escaped. */
export const hasEscapedSlash = (path: string): boolean => path.includes("%") && ESCAPED_SLASH.test(path);

/** A name or an address as URLs have them, and a port; letters in any case. */
const HOST = /^(?:[\w.~-]+|\[[\dA-Fa-f:.]+\])(?::\d{1,5})?$/;
/** Mostly the same again: it need not be read twice. */
let lastHost: string | null = null;

/**
 * Whether a `Host` is one, as `null` is, which requests that never were on a wire have. The runtime puts it into the request's
 * URL as it came: two of them, or "x/other?", would make it another address or none, of which nothing can be sent on.
 */
export const isHost = (host: string | null): boolean => {
  if (host === lastHost || host === null) return true;
  if (!HOST.test(host) || !URL.canParse(`http://${host}/`)) return false;
  lastHost = host;
  return true;
};

/** The same URL with another path; it begins with a slash. */
export const withPath = (url: string, path: string): string => {
  const authority = url.indexOf("://") + 3;
  const query = url.indexOf("?", authority);
  const start = url.slice(authority).search(/[/?#]/);
  const origin = start < 0 ? url : url.slice(0, authority + start);
  return `${origin}${path}${query < 0 ? "" : url.slice(query)}`;
};
