/** What the command line and a local start ask of the control plane, typed: its HTTP interface behind the gateway. */

import type { Change } from "#shared/config/diff.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import type { Instance } from "#shared/registry/instance.ts";
import type {
  DeclaredSchema,
  Document,
  DocumentSummary,
  EffectiveDocument,
  ExportedDocument,
  HistoryEntry,
  ImportedDocument,
  Revision,
} from "#workers/control/documents/document.ts";
import type { SecretsRotated } from "#workers/control/documents/rotate-secrets.ts";
import type { DocumentName, RolloutPlan } from "#workers/control/part.ts";
import { type ControlAddress, type ControlCall, callControl } from "./control-call.ts";

/** A document at the revision that its ETag names. */
export interface TaggedDocument extends Document {
  readonly etag: string;
}

export interface Publishing {
  readonly content: JsonObject;
  readonly reason?: string | undefined;
  readonly rollout?: RolloutPlan | undefined;
}

/** What an export holds. */
export interface DocumentImport {
  readonly documents: readonly ExportedDocument[];
  readonly reason?: string | undefined;
}

/** As the registry lists it. */
export interface ShownService {
  readonly service: string;
  readonly instances: readonly Instance[];
}

export interface InstanceRegistration {
  readonly version: string;
  readonly binding?: string | undefined;
  readonly url?: string | undefined;
  readonly zone?: string | undefined;
  readonly weight?: number | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly ttlSeconds?: number | undefined;
}

export interface Rollout extends DocumentName {
  readonly id: string;
  readonly by: "isolate" | "key";
  readonly percentage: number;
  readonly nextAt?: string;
  readonly candidate: { readonly answers: number; readonly failures: number };
  readonly stable: { readonly answers: number; readonly failures: number };
}

export interface NewToken {
  readonly name: string;
  readonly role: string;
  readonly services?: readonly string[] | undefined;
  readonly ttlSeconds: number;
}

export interface Token extends Omit<NewToken, "ttlSeconds"> {
  readonly id: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins. */
  readonly cursor?: string | undefined;
}

/** @param address where the control plane is, and as whom it is asked; every call is bounded, and refused as a CliFailure */
export const controlClient = (address: ControlAddress) => {
  const call = (path: string, options: ControlCall = {}) => callControl(address, path, options);
  const json = async <Body>(path: string, options: ControlCall = {}): Promise<Body> =>
    JSON.parse((await call(path, options)).text) as Body;
  const page = async <Item>(path: string, options: ControlCall = {}): Promise<Page<Item>> => {
    const { headers, text } = await call(path, options);
    const { items } = JSON.parse(text) as Page<Item>;
    return { items, cursor: nextCursor(headers.get("link")) };
  };
  const allItems = async <Item>(path: string): Promise<readonly Item[]> => {
    const found: Item[] = [];
    let cursor: string | undefined;
    do {
      const next = await page<Item>(path, { query: { limit: PAGE_ITEMS, cursor } });
      found.push(...next.items);
      cursor = next.cursor;
    } while (cursor !== undefined);
    return found;
  };
  /** Asks on until all revisions were looked at. */
  const rotateSecrets = async (): Promise<Omit<SecretsRotated, "next">> => {
    const failed: SecretsRotated["failed"][number][] = [];
    let resealed = 0;
    let after: string | undefined;
    for (;;) {
      const part = await json<SecretsRotated>("/secrets/rotations", { method: "POST", query: { after } });
      resealed += part.resealed;
      failed.push(...part.failed);
      if (part.next === undefined) return { key: part.key, resealed, failed };
      after = `${part.next}`;
    }
  };
  const done = async (path: string, options: ControlCall): Promise<void> => {
    await call(path, options);
  };

  return {
    documents: () => allItems<DocumentSummary>("/documents"),
    document: async (name: DocumentName): Promise<TaggedDocument> => {
      const { headers, text } = await call(documentPath(name));
      return { ...(JSON.parse(text) as Document), etag: headers.get("etag") ?? "" };
    },
    /** @param etag of the revision that is changed; without it there must be none */
    publish: (name: DocumentName, publishing: Publishing, etag?: string) =>
      json<Revision>(documentPath(name), {
        method: "PUT",
        body: publishing,
        headers: etag === undefined ? { "if-none-match": "*" } : { "if-match": etag },
      }),
    /** Newest first. @param limit at most 100 */
    history: async (name: DocumentName, limit: number) =>
      (await page<HistoryEntry>(documentPath(name, "history"), { query: { limit: `${limit}` } })).items,
    diff: async (name: DocumentName, from: number, to: number) => {
      const query = { from: `${from}`, to: `${to}` };
      return (await json<{ changes: readonly Change[] }>(documentPath(name, "diff"), { query })).changes;
    },
    rollBack: (
      name: DocumentName,
      body: { readonly revision: number; readonly reason?: string | undefined },
    ) => json<Revision>(documentPath(name, "rollbacks"), { method: "POST", body }),
    effective: ({ service, profile }: DocumentName) =>
      json<EffectiveDocument>(pathOf("effective", service, profile)),
    /** All documents as YAML. */
    exported: async (): Promise<string> =>
      (await call("/export", { headers: { accept: "application/yaml" } })).text,
    importAll: async (body: DocumentImport, { dryRun }: { readonly dryRun: boolean }) =>
      (
        await json<{ documents: readonly ImportedDocument[] }>("/imports", {
          method: "POST",
          body,
          query: { dryRun: `${dryRun}` },
        })
      ).documents,
    schema: (service: string) => json<DeclaredSchema>(pathOf("schemas", service)),
    /** @param schema JSON Schema 2020-12 of the service's configuration */
    declareSchema: (service: string, schema: object) =>
      done(pathOf("schemas", service), { method: "PUT", body: { schema } }),

    services: () => allItems<ShownService>("/registry"),
    service: (service: string) => json<ShownService>(pathOf("registry", service)),
    instance: (service: string, id: string) => json<Instance>(instancePath(service, id)),
    /** The same registration again changes nothing. */
    registerInstance: (service: string, id: string, registration: InstanceRegistration) =>
      done(instancePath(service, id), { method: "PUT", body: registration }),
    setState: (service: string, id: string, state: "up" | "out_of_service") =>
      done(`${instancePath(service, id)}/state`, { method: "PUT", body: { state } }),
    drain: (service: string, id: string, drainSeconds: number | undefined) =>
      done(instancePath(service, id), {
        method: "DELETE",
        query: { drainSeconds: drainSeconds === undefined ? undefined : `${drainSeconds}` },
      }),

    rollouts: async () => (await page<Rollout>("/rollouts")).items,
    /** 100 makes the candidate the document. */
    setRollout: (name: DocumentName, percentage: number) =>
      done(rolloutPath(name), { method: "PUT", body: { percentage } }),
    abortRollout: (name: DocumentName) => done(rolloutPath(name), { method: "DELETE" }),

    /** Seals the secrets of all revisions anew by the first key. */
    rotateSecrets,

    tokens: async () => (await page<Token>("/tokens")).items,
    makeToken: (wanted: NewToken) =>
      json<Token & { readonly token: string }>("/tokens", { method: "POST", body: wanted }),
    revokeToken: (id: string) => done(pathOf("tokens", id), { method: "DELETE" }),
  };
};

export type ControlClient = ReturnType<typeof controlClient>;

/** The most that one page holds. */
const PAGE_ITEMS = `${LIMITS.pageItems}`;

const nextCursor = (link: string | null): string | undefined => {
  const next = /<([^>]*)>\s*;\s*rel="next"/.exec(link ?? "")?.[1];
  return next === undefined
    ? undefined
    : (new URL(next, "http://host").searchParams.get("cursor") ?? undefined);
};

const pathOf = (...segments: readonly string[]): string => `/${segments.map(encodeURIComponent).join("/")}`;

const documentPath = ({ service, profile }: DocumentName, ...more: readonly string[]): string =>
  pathOf("documents", service, profile, ...more);

const instancePath = (service: string, id: string): string => pathOf("registry", service, "instances", id);

const rolloutPath = ({ service, profile }: DocumentName): string => pathOf("rollouts", service, profile);
