/** The version that a request asks for: by path, else by header, else by media type; what is said twice must agree. */
import { err, ok, type Result } from "#shared/result.ts";
import { acceptedVersions } from "./accepted-versions.ts";
import { type WantedVersion, wantedVersion } from "./version-text.ts";
import { VERSIONS_DEFAULTS, type WrittenVersions } from "./versions-schema.ts";

export interface VersionQuestion {
  readonly headers: Pick<Headers, "get">;
  /** The `v{major}` of the path; undefined where it has none. */
  readonly pathMajor: number | undefined;
  /** What the registry has of the service, ascending: `majors` of its lookup. */
  readonly majors: Iterable<number>;
}

export type VersionRefusal =
  /** Nothing names a version and nothing stands for it: as for any unknown address. */
  | { readonly code: "unversioned" }
  | { readonly code: "unreadable"; readonly header: string; readonly value: string }
  | { readonly code: "conflict"; readonly one: string; readonly other: string }
  /** `offered`: versions that there are, ascending. */
  | { readonly code: "not_offered"; readonly asked: string; readonly offered: readonly string[] };

export interface VersionRule {
  /** A major of the path is taken as it is, whether it is registered or not; any other one is registered. */
  asked(question: VersionQuestion): Result<WantedVersion, VersionRefusal>;
  /** Whether the headers may say something of a version: asked first, because most requests say nothing. */
  mentionedBy(headers: Pick<Headers, "get">): boolean;
  /** Names of request headers that answers depend on, lower case: for `varyBy`. */
  readonly vary: readonly string[];
}

interface Said {
  readonly by: string;
  readonly version: WantedVersion;
}

/** To be made once for each configuration. */
export const versionRule = (written: WrittenVersions): VersionRule => {
  const header = lowerCase(written.header ?? VERSIONS_DEFAULTS.header);
  const parameter = lowerCase(written.mediaType ?? VERSIONS_DEFAULTS.mediaType);
  const standIn = written.default ?? VERSIONS_DEFAULTS.default;

  const byHeader = ({ headers }: VersionQuestion): Result<Said | undefined, VersionRefusal> => {
    const value = header ? headers.get(header) : null;
    if (!header || value === null) return ok(undefined);
    const version = wantedVersion(value);
    return version ? ok({ by: `${header}: ${value}`, version }) : err({ code: "unreadable", header, value });
  };

  return {
    vary: [...(header ? [header] : []), ...(parameter ? ["accept"] : [])],
    mentionedBy: (headers) =>
      (header !== undefined && headers.get(header) !== null) ||
      (parameter !== undefined && (headers.get("accept")?.toLowerCase().includes(parameter) ?? false)),
    asked(question) {
      const { pathMajor, headers } = question;
      const inHeader = byHeader(question);
      if (!inHeader.ok) return inHeader;
      const stronger = strongerOf(pathMajor, inHeader.value);
      if (!stronger.ok) return stronger;
      const accepted = parameter ? acceptedVersions(headers.get("accept"), parameter) : undefined;
      const said = stronger.value;
      if (!said) {
        const wanted = accepted?.wanted ?? [];
        return chosen(wanted, accepted?.any ?? true, { ...question, standIn });
      }
      const same = accepted?.wanted.find(({ major }) => major === said.version.major);
      if (accepted && !same && !accepted.any) return conflict(said, accepted.wanted);
      // Another range is content with less than this one: it must not refuse what that one takes.
      const minor = same && !accepted?.any ? Math.max(same.minor, said.version.minor) : said.version.minor;
      const version = { major: said.version.major, minor };
      return pathMajor === undefined ? offered(version, question.majors) : ok(version);
    },
  };
};

const lowerCase = (name: string | false): string | undefined =>
  name === false ? undefined : name.toLowerCase();

/** What the path says, with the minor of the header. */
const strongerOf = (
  pathMajor: number | undefined,
  inHeader: Said | undefined,
): Result<Said | undefined, VersionRefusal> => {
  if (pathMajor === undefined) return ok(inHeader);
  const by = `v${pathMajor} in the path`;
  if (!inHeader) return ok({ by, version: { major: pathMajor, minor: 0 } });
  if (inHeader.version.major !== pathMajor) return err({ code: "conflict", one: by, other: inHeader.by });
  return ok(inHeader);
};

const conflict = (said: Said, wanted: readonly WantedVersion[]): Result<never, VersionRefusal> => {
  const accepted = wanted.map(({ major }) => `${major}`).join(", ");
  return err({ code: "conflict", one: said.by, other: `accept: version ${accepted}` });
};

interface Choice extends VersionQuestion {
  readonly standIn: false | "newest" | "oldest" | number;
}

/** The first accepted one that there is, else the one that stands for none. */
const chosen = (
  wanted: readonly WantedVersion[],
  any: boolean,
  { majors, standIn }: Choice,
): Result<WantedVersion, VersionRefusal> => {
  const there = [...majors];
  const found = wanted.find(({ major }) => there.includes(major));
  if (found) return ok(any ? { ...found, minor: 0 } : found);
  const [first] = wanted;
  if (first && !any) return offered(first, there);
  const major = standIn === "newest" ? there.at(-1) : standIn === "oldest" ? there[0] : standIn;
  return typeof major === "number" && there.includes(major)
    ? ok({ major, minor: 0 })
    : err({ code: "unversioned" });
};

const offered = (version: WantedVersion, majors: Iterable<number>): Result<WantedVersion, VersionRefusal> => {
  const there = [...majors];
  if (there.includes(version.major)) return ok(version);
  return err({ code: "not_offered", asked: `${version.major}`, offered: there.map((major) => `${major}`) });
};
