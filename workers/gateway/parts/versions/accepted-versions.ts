/** What `Accept` says of versions: `application/json; version=1.4` (RFC 9110 section 12.5.1). */
import { type MediaType, parseMediaTypes } from "../../routes/media-type.ts";
import { type WantedVersion, wantedVersion } from "./version-text.ts";

export interface AcceptedVersions {
  /** Best first: by weight, then as they are listed. */
  readonly wanted: readonly WantedVersion[];
  /** Some range says nothing of versions, so that any will do. */
  readonly any: boolean;
}

const NOTHING_SAID: AcceptedVersions = { wanted: [], any: true };

/**
 * Versions that are no `1` or `1.4` are those of a format (`text/plain; version=0.0.4`), and say nothing of ours.
 * @param parameter lower case
 */
export const acceptedVersions = (accept: string | null, parameter: string): AcceptedVersions => {
  // Most requests say nothing of versions, and need not be taken apart.
  if (!accept?.toLowerCase().includes(parameter)) return NOTHING_SAID;
  const ranges = parseMediaTypes(accept).filter((range) => weightOf(range) > 0);
  const said = ranges.map((range) => ({ wanted: versionIn(range, parameter), weight: weightOf(range) }));
  const wanted = said
    .sort((one, other) => other.weight - one.weight)
    .flatMap((each) => (each.wanted ? [each.wanted] : []));
  return { wanted, any: wanted.length < ranges.length || ranges.length === 0 };
};

const versionIn = ({ type, subtype, parameters }: MediaType, parameter: string): WantedVersion | undefined =>
  type === "application" && (subtype === "json" || subtype.endsWith("+json"))
    ? wantedVersion(parameters.get(parameter) ?? "")
    : undefined;

const weightOf = ({ parameters }: MediaType): number => {
  const weight = Number(parameters.get("q") ?? 1);
  return Number.isNaN(weight) ? 0 : weight;
};
