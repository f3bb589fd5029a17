/** The documents of all registered services, fetched when somebody asks for them: merged for clients, each by itself for validation. */
import { strongEtag } from "#shared/http/etag.ts";
import { LIMITS } from "#shared/limits.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import type { Target } from "../policy/target.ts";
import type { RegisteredServices, RegistryLink } from "../registered-services.ts";
import { documentMemory, type Named } from "./document-memory.ts";
import { fetchDocument } from "./fetch-document.ts";
import { type ListedDocument, type MissingDocument, mergedDocument } from "./merged-document.ts";
import { modernDocument } from "./modern-document.ts";
import { basePathOf, type JsonObject, type ServiceDocument } from "./service-document.ts";

export interface OpenApiDocumentsOptions {
  readonly link: Pick<RegistryLink, "entry">;
  readonly services: Pick<RegisteredServices, "list" | "find">;
  readonly clock: Clock;
  readonly timer: Timer;
}

export interface MergedText {
  readonly text: string;
  readonly etag: string;
}

export interface OpenApiDocuments {
  /** Where each service's own document is. */
  listed(): readonly ListedDocument[];
  /** Of those that are named, or of all. Takes as long as the slowest of a bounded number of services; never rejects. */
  merged(origin: string, named?: (document: ListedDocument) => boolean): Promise<MergedText>;
  /** What is in memory; the same object until the service's document changes. Undefined where there is none. */
  of(service: string, major: number): JsonObject | undefined;
  /** Whether `refresh` should be called, after the answer: there is no document, or one that is older than its bound. */
  isDue(service: string, major: number): boolean;
  /** Fetches it; never rejects. */
  refresh(service: string, major: number): Promise<void>;
}

export const openApiDocuments = (options: OpenApiDocumentsOptions): OpenApiDocuments => {
  const { services, link, timer } = options;
  const memory = documentMemory(options);
  const merge = rememberedMerge();

  const refresh = async (of: Named): Promise<void> => {
    const target = newestTarget(services, link, of);
    if (!target) return memory.failed(of, "none of its instances is healthy");
    const versions = memory.asking(of);
    const fetched = await fetchDocument(target.upstream, of, timer);
    if (!fetched.ok) return memory.failed(of, fetched.error);
    const last = memory.known(of)?.own;
    // The same text is the same document, so that what was made of it lasts.
    if (last?.digest === fetched.value.digest) return memory.learned(last, versions);
    memory.learned({ ...of, ...fetched.value, document: modernDocument(fetched.value.document) }, versions);
  };

  const listed = (): ListedDocument[] =>
    services.list().flatMap(({ name, majors }) =>
      majors.map((major) => ({
        name,
        major,
        url: `${basePathOf({ service: name, major })}/openapi.json`,
      })),
    );

  return {
    listed,
    async merged(origin, named = () => true) {
      const all = listed();
      const wanted = all.filter(named).map(({ name, major }): Named => ({ service: name, major }));
      const due = wanted.filter(memory.isWanted).slice(0, LIMITS.openApiFetchesPerRequest);
      await inTurns(due, refresh);
      const documents: ServiceDocument[] = [];
      const missing: MissingDocument[] = [];
      let characters = 0;
      for (const of of wanted) {
        const own = memory.known(of)?.own;
        characters += own?.characters ?? 0;
        if (own && characters <= LIMITS.openApiCharacters) documents.push(own);
        else missing.push({ ...of, reason: own ? TOO_MUCH : (memory.failure(of) ?? NOT_YET) });
      }
      return merge({ origin, documents, missing, listed: all });
    },
    of: (service, major) => memory.known({ service, major })?.own.document,
    isDue: (service, major) => memory.isDue({ service, major }),
    refresh: (service, major) => refresh({ service, major }),
  };
};

const TOO_MUCH = "the documents before it are as much as is shown at once";
const NOT_YET = "it was not asked yet: ask again";

/** A few at once, each place taking the next as soon as it is free. */
const inTurns = async (due: readonly Named[], work: (of: Named) => Promise<void>): Promise<void> => {
  const waiting = due.values();
  const places = Array.from({ length: LIMITS.openApiFetchesAtOnce }, async () => {
    for (const of of waiting) await work(of);
  });
  await Promise.all(places);
};

/** An instance of the newest version: it has what the older ones have, and more. */
const newestTarget = (
  services: Pick<RegisteredServices, "find">,
  link: Pick<RegistryLink, "entry">,
  { service, major }: Named,
): Target | undefined => {
  const found = services.find({ service, version: `v${major}`, major });
  if (!found.ok) return undefined;
  const versions = new Map(link.entry(service)?.instances.map(({ id, version }) => [id, version]));
  const versionOf = ({ id }: Target) => versions.get(id) ?? "";
  const [newest] = found.value.toSorted((one, other) =>
    versionOf(other).localeCompare(versionOf(one), "en", { numeric: true }),
  );
  return newest;
};

type Merge = (parts: Parameters<typeof mergedDocument>[0]) => Promise<MergedText>;

/** The last one is kept: most ask for all, and little changes. */
const rememberedMerge = (): Merge => {
  let last: { documents: readonly ServiceDocument[]; rest: string; merged: MergedText } | undefined;
  return async (parts) => {
    const { documents, ...others } = parts;
    const rest = JSON.stringify(others);
    if (last?.rest === rest && areSame(last.documents, documents)) return last.merged;
    const text = JSON.stringify(mergedDocument(parts));
    const merged = { text, etag: await strongEtag(text) };
    last = { documents, rest, merged };
    return merged;
  };
};

const areSame = (some: readonly unknown[], others: readonly unknown[]): boolean =>
  some.length === others.length && some.every((each, index) => each === others[index]);
