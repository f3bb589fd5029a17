/** Versions as requests and instances write them. */

/** What a request wants: an instance of this major whose minor is at least this one. */
export interface WantedVersion {
  readonly major: number;
  /** 0 where the request does not say. */
  readonly minor: number;
}

const WANTED = /^(0|[1-9]\d{0,8})(?:\.(0|[1-9]\d{0,8}))?$/;

/** `1` and `1.4`; undefined for everything else, three numbers included: patches are nobody's to choose. */
export const wantedVersion = (text: string): WantedVersion | undefined => {
  const [, major, minor = "0"] = WANTED.exec(text) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
};

/** Of an instance's semantic version; 0 where it has none. */
export const minorOf = (version: string): number => Number(/^\d+\.(\d{1,9})/.exec(version)?.[1] ?? 0);
