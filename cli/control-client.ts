/** What the command line and a local start ask of the control plane, typed: its HTTP interface behind the gateway. */

import type { JsonObject } from "#shared/control/changes.ts";
import type {
  DeclaredSchema,
  Document,
  DocumentSummary,
  EffectiveDocument,
  HistoryEntry,
  ImportedDocument,
  Revision,
} from "#workers/control/documents/document.ts";
import type { DocumentName, RolloutPlan } from "#workers/control/part.ts";
import type { RegisteredService } from "#workers/control/registry/registration.ts";
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

interface Items<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins. */
  readonly next?: string | null;
}

/** @param address where the control plane is, and as whom it is asked; every call is bounded, and refused as a CliFailure */
export const controlClient = (address: ControlAddress) => {
  const call = (path: string, options: ControlCall = {}) => callControl(address, path, options);
  const json = async <Body>(path: string, options: ControlCall = {}): Promise<Body> =>
    JSON.parse((await call(path, options)).text) as Body;
  const items = async <Item>(path: string, options: ControlCall = {}): Promise<readonly Item[]> =>
    (await json<Items<Item>>(path, options)).items;
  const done = async (path: string, options: ControlCall): Promise<void> => {
    await call(path, options);
  };

  return {
    documents: () => items<DocumentSummary>("/documents"),
    document: async (name: DocumentName): Promise<TaggedDocument> => {
      const { headers, text } = await call(documentPath(name));
      return { ...(JSON.parse(text) as Document), etag: headers.get("etag") ?? "" };
    },
    /** @param etag of the revision that is changed; without it there must be none */
    publish: (name: DocumentName, publishing: Publishing, etag?: string) =>
      json<Document>(documentPath(name), {
        method: "PUT",
        body: publishing,
        headers: etag === undefined ? {} : { "if-match": etag },
      }),
    history: (name: DocumentName, limit: number) =>
      items<HistoryEntry>(documentPath(name, "history"), { query: { limit: `${limit}` } }),
    revision: (name: DocumentName, revision: number) =>
      json<Revision>(documentPath(name, "history", `${revision}`)),
    /** @param etag of the revision that is the document now */
    rollBack: (
      name: DocumentName,
      body: { readonly revision: number; readonly reason: string | undefined },
      etag: string,
    ) =>
      json<Document>(documentPath(name, "rollbacks"), {
        method: "POST",
        body,
        headers: { "if-match": etag },
      }),
    effective: (name: DocumentName) =>
      json<EffectiveDocument>(pathOf("effective", name.service), { query: { profile: name.profile } }),
    /** All documents as YAML. */
    exported: async (): Promise<string> => (await call("/export", { headers: { accept: YAML } })).text,
    /** @param yaml as `exported` gives it */
    importAll: (yaml: string, { dryRun, reason }: { dryRun: boolean; reason: string | undefined }) =>
      items<ImportedDocument>("/import", {
        method: "POST",
        body: yaml,
        headers: { "content-type": YAML },
        query: { dryRun: dryRun ? "true" : undefined, reason },
      }),
    schema: (service: string) => json<DeclaredSchema>(pathOf("schemas", service)),
    /** @param schema JSON Schema 2020-12 of the service's configuration */
    declareSchema: (service: string, schema: object) =>
      done(pathOf("schemas", service), { method: "PUT", body: schema }),

    services: () => allPages<RegisteredService>((after) => json("/registry", { query: { after } })),
    service: (service: string) => json<RegisteredService>(pathOf("registry", service)),
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

    rollouts: () => items<Rollout>("/rollouts"),
    /** 100 makes the candidate the document. */
    setRollout: (name: DocumentName, percentage: number) =>
      done(rolloutPath(name), { method: "PUT", body: { percentage } }),
    abortRollout: (name: DocumentName) => done(rolloutPath(name), { method: "DELETE" }),

    tokens: () => items<Token>("/tokens"),
    makeToken: (wanted: NewToken) =>
      json<Token & { readonly token: string }>("/tokens", { method: "POST", body: wanted }),
    revokeToken: (id: string) => done(pathOf("tokens", id), { method: "DELETE" }),
  };
};

/** Every item, page by page. */
const allPages = async <Item>(
  page: (after: string | undefined) => Promise<Items<Item>>,
): Promise<readonly Item[]> => {
  const found: Item[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await page(after);
    found.push(...items);
    after = next ?? undefined;
  } while (after !== undefined);
  return found;
};

export type ControlClient = ReturnType<typeof controlClient>;

const YAML = "application/yaml";

const pathOf = (...segments: readonly string[]): string => `/${segments.map(encodeURIComponent).join("/")}`;

const documentPath = ({ service, profile }: DocumentName, ...more: readonly string[]): string =>
  pathOf("documents", service, profile, ...more);

const instancePath = (service: string, id: string): string => pathOf("registry", service, "instances", id);

const rolloutPath = ({ service, profile }: DocumentName): string => pathOf("rollouts", service, profile);
