/** Whether the path of a request's URL is the same for whoever reads it. */

/** What the URL standard may read otherwise than it stands: dot segments, backslashes, and what it leaves out. */
const SUSPECT = /[\\\t\n\r]|\/(?:\.|%2e)/i;

/**
 * False when the URL standard makes another path of it, as of "/control/v1/../../internal/changes": the gateway would go by one
 * and a service by the other. Clients that keep to the standard send no such path.
 */
export const hasSamePath = (url: string): boolean => {
  if (!SUSPECT.test(url)) return true;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const [path] = url.slice(start).split(/[?#]/, 1);
  return URL.parse(url)?.pathname === path;
};
