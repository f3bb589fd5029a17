/** The form of a service's address: `/{service}/v{major}/…`. */

export interface ServicePath {
  readonly service: string;
  /** The second segment as it stands. */
  readonly version: string;
  /** Undefined when the second segment is not `v` and a number without leading zeros. */
  readonly major: number | undefined;
}

const VERSION = /^v(?:0|[1-9]\d{0,8})$/;

/** Undefined when the path has no second segment. By hand, because it runs for every request: no routing table to match. */
export const servicePath = (path: string): ServicePath | undefined => {
  const slash = path.indexOf("/", 1);
  if (slash < 2) return undefined;
  const end = path.indexOf("/", slash + 1);
  const version = path.slice(slash + 1, end < 0 ? undefined : end);
  if (version === "") return undefined;
  const major = VERSION.test(version) ? Number(version.slice(1)) : undefined;
  return { service: path.slice(1, slash), version, major };
};
