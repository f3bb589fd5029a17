/** What a NATS server can do, by the version that it tells. */

/** Whether a version as "2.11.3" is of this minor version or a newer one. */
export const isServerFrom = (version: string, [major, minor]: readonly [number, number]): boolean => {
  const [itsMajor = 0, itsMinor = 0] = version.split(".").map(Number);
  return itsMajor > major || (itsMajor === major && itsMinor >= minor);
};
