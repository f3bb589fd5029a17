/** The path that a service knows, for a request whose path does not name the version. */

/** `/orders/items?…` of version 2 is `/orders/v2/items?…`; @param path begins with `/{service}` */
export const versionedPath = (path: string, major: number): string => {
  const slash = path.indexOf("/", 1);
  return slash < 0 ? `${path}/v${major}` : `${path.slice(0, slash)}/v${major}${path.slice(slash)}`;
};
