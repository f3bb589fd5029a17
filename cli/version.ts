/** Dotted versions: reading them out of a program's answer, and comparing them. */

/** The first `a.b.c` in the text, without suffix; null when there is none. */
export const versionIn = (text: string): string | null => text.match(/\d+\.\d+\.\d+/)?.[0] ?? null;

/** Negative, zero or positive, as `a` is older than, equal to or newer than `b`. */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};
