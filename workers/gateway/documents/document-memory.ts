/** What an isolate remembers of services' documents: plain data, bounded, and true to the instances that there are. */
import { LIMITS } from "#shared/limits.ts";
import { majorOf, type ServiceEntry } from "#shared/registry/instance.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import type { RegistryLink } from "../registered-services.ts";
import type { ServiceDocument } from "./service-document.ts";

export interface DocumentMemory {
  /** Undefined also when the service's instances have changed since: then it may speak of other addresses. */
  known(of: Named): Remembered | undefined;
  /** Nothing fresh is known, and asking did not just fail. */
  isWanted(of: Named): boolean;
  /** The same, and nobody asks at this moment. */
  isDue(of: Named): boolean;
  /** Why the last question failed, while it is not asked again. */
  failure(of: Named): string | undefined;
  /** What is learned of it will be true to the versions that are given back. */
  asking(of: Named): string;
  learned(own: ServiceDocument, versions: string): void;
  failed(of: Named, reason: string): void;
}

export type Named = Pick<ServiceDocument, "service" | "major">;

export interface Remembered {
  readonly own: ServiceDocument;
  /** Which versions at which instances it was fetched of. */
  readonly versions: string;
  readonly fetchedAt: number;
}

export interface DocumentMemoryOptions {
  readonly link: Pick<RegistryLink, "entry">;
  readonly clock: Clock;
}

export const documentMemory = ({ link, clock }: DocumentMemoryOptions): DocumentMemory => {
  const remembered = new Map<string, Remembered>();
  const underWay = new Map<string, number>();
  const failures = new Map<string, { readonly at: number; readonly reason: string }>();
  let characters = 0;

  const versionsNow = versionsOfEntries();
  const versionsOf = ({ service, major }: Named): string => {
    const entry = link.entry(service);
    return entry ? versionsNow(entry, major) : "";
  };

  const forget = (key: string): void => {
    characters -= remembered.get(key)?.own.characters ?? 0;
    remembered.delete(key);
  };

  const known = (of: Named): Remembered | undefined => {
    const found = remembered.get(keyOf(of));
    return found?.versions === versionsOf(of) ? found : undefined;
  };

  const failure = (of: Named): string | undefined => {
    const found = failures.get(keyOf(of));
    return found && clock() - found.at < LIMITS.openApiAgainMs ? found.reason : undefined;
  };

  const isWanted = (of: Named): boolean => {
    const found = known(of);
    if (found && clock() - found.fetchedAt < LIMITS.openApiFreshMs) return false;
    return failure(of) === undefined;
  };

  return {
    known,
    failure,
    isWanted,
    isDue(of) {
      const since = underWay.get(keyOf(of));
      // Who asked may be gone without a word.
      const isAsked = since !== undefined && clock() - since < LIMITS.openApiFetchMs;
      return !isAsked && isWanted(of);
    },
    asking(of) {
      underWay.set(keyOf(of), clock());
      return versionsOf(of);
    },
    learned(own, versions) {
      const key = keyOf(own);
      underWay.delete(key);
      failures.delete(key);
      forget(key);
      remembered.set(key, { own, versions, fetchedAt: clock() });
      characters += own.characters;
      for (const oldest of remembered.keys()) {
        if (characters <= LIMITS.openApiCharacters || oldest === key) break;
        forget(oldest);
      }
    },
    failed(of, reason) {
      underWay.delete(keyOf(of));
      for (const [key, { at }] of failures) if (clock() - at >= LIMITS.openApiAgainMs) failures.delete(key);
      failures.set(keyOf(of), { at: clock(), reason });
    },
  };
};

const keyOf = ({ service, major }: Named): string => `${service}/v${major}`;

/** Entries never change, so that each is looked through once. */
const versionsOfEntries = (): ((entry: ServiceEntry, major: number) => string) => {
  const made = new WeakMap<ServiceEntry, Map<number, string>>();
  return (entry, major) => {
    let majors = made.get(entry);
    if (!majors) {
      majors = new Map();
      made.set(entry, majors);
    }
    let versions = majors.get(major);
    if (versions === undefined) {
      versions = entry.instances
        .filter(({ version }) => majorOf(version) === major)
        .map(({ id, version }) => `${id}@${version}`)
        .sort()
        .join(" ");
      majors.set(major, versions);
    }
    return versions;
  };
};
