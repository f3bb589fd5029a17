/** What instances say of their version's end, in their metadata. */
import { type Instance, majorOf } from "#shared/registry/instance.ts";
import type { WrittenLifecycle } from "./lifecycle-schema.ts";
import { isUriReference } from "./uri-reference.ts";

/** Keys of metadata, each with what it says. */
export const METADATA_KEYS = {
  deprecated: "deprecated",
  sunset: "sunset",
  link: "deprecation-link",
  successor: "successor",
} as const satisfies Record<keyof WrittenLifecycle, string>;

type Said = Pick<Instance, "version" | "metadata">;

/**
 * The word of the newest version of that major, so that a deployment can change it and take it back; of equal versions, of
 * the first that says something. What cannot be read counts as not said: metadata is anybody's text.
 */
export const registeredLifecycle = (instances: readonly Said[], major: number): WrittenLifecycle => {
  const ours = instances.filter(({ version }) => majorOf(version) === major);
  const newest = ours.reduce<Said | undefined>(
    (best, each) => (best && compared(each.version, best.version) <= 0 ? best : each),
    undefined,
  );
  if (!newest) return {};
  const speaking = ours.find(
    ({ version, metadata }) => version === newest.version && saysSomething(metadata),
  );
  return speaking ? readable(speaking.metadata) : {};
};

const saysSomething = (metadata: Said["metadata"]): boolean =>
  Object.values(METADATA_KEYS).some((key) => metadata[key] !== undefined);

const readable = (metadata: Said["metadata"]): WrittenLifecycle => {
  const deprecated = momentOf(metadata[METADATA_KEYS.deprecated]);
  const sunset = momentOf(metadata[METADATA_KEYS.sunset]);
  const link = referenceOf(metadata[METADATA_KEYS.link]);
  const successor = referenceOf(metadata[METADATA_KEYS.successor]);
  return {
    ...(deprecated && { deprecated }),
    ...(sunset && { sunset }),
    ...(link && { link }),
    ...(successor && { successor }),
  };
};

const MOMENT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

const momentOf = (text: string | undefined): string | undefined =>
  text !== undefined && MOMENT.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;

const referenceOf = (text: string | undefined): string | undefined =>
  text !== undefined && isUriReference(text) ? text : undefined;

/** By the three numbers of a semantic version; what follows them says nothing here. */
const compared = (one: string, other: string): number => {
  const [left, right] = [numbersOf(one), numbersOf(other)];
  for (const index of [0, 1, 2]) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};

const numbersOf = (version: string): number[] =>
  (/^\d+(?:\.\d+){0,2}/.exec(version)?.[0] ?? "").split(".").map(Number);
