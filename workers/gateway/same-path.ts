/** Whether the path of a request's URL is the same for whoever reads it. */

/** What the URL standard may read otherwise than it stands, once decoded: dot segments, backslashes, and what it leaves out. */
const SUSPECT = /[\\\t\n\r]|\/\./;

/** As Hono's. The path is at hand in every request; the URL is asked of the platform anew, which costs more than the search. */
interface Addressed {
  /** Decoded. */
  readonly path: string;
  /** As it came. */
  readonly url: string;
}

/**
 * False when the URL standard makes another path of it, as of "/control/v1/../../internal/changes": the gateway would go by one
 * and a service by the other. Clients that keep to the standard send no such path.
 */
export const hasSamePath = (request: Addressed): boolean => {
  if (!SUSPECT.test(request.path)) return true;
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const [path] = url.slice(start).split(/[?#]/, 1);
  return URL.parse(url)?.pathname === path;
};
