/** A second place for stored answers that isolates share, asked only where an isolate has none. */
import * as z from "zod";
import { encodeBase64url } from "#shared/http/base64url.ts";
import type { CacheSettings } from "./cache-settings.ts";
import { ageOf } from "./reuse.ts";
import { type StoredAnswer, storedAnswer } from "./stored-answer.ts";
import type { SelectingHeader } from "./variants.ts";

/** Keeps answers by the address of a GET for as long as their `max-age` says, or shorter; may reject. */
export interface AnswerCache {
  match(request: Request): Promise<Response | undefined>;
  put(request: Request, response: Response): Promise<void>;
  delete(request: Request): Promise<boolean>;
}

/** What tells an answer's place: routes share no answers. */
export interface TierPlace {
  readonly route: string;
  readonly key: string;
  readonly header: SelectingHeader;
}

/** Never rejects: an answer that is not found is fetched, one that is not put is not there. */
export interface SecondTier {
  find(place: TierPlace): Promise<StoredAnswer | undefined>;
  put(place: TierPlace, answer: StoredAnswer, nowMs: number): Promise<void>;
  invalidate(place: Pick<TierPlace, "route" | "key">): Promise<void>;
}

/**
 * An address has an entry that says by which headers its answers differ, and in which generation: who removes it puts all
 * of them out of reach, for none can be listed.
 */
const indexSchema = z.object({ generation: z.string(), names: z.array(z.string()) });

const pair = z.tuple([z.string(), z.string()]);
const headSchema = z.object({
  status: z.int().min(200).max(599),
  headers: z.array(pair),
  selectors: z.array(z.tuple([z.string(), z.string().nullable()])),
  respondedAt: z.number(),
  hasBody: z.boolean(),
});

const LINE_FEED = 10;

/** @param newGeneration a text that was never given before */
export const secondTier = (
  cache: AnswerCache,
  settings: CacheSettings,
  newGeneration: () => string,
): SecondTier => {
  const indexOf = async ({ route, key }: Pick<TierPlace, "route" | "key">): Promise<Request> =>
    addressed(key, `index ${route} ${key}`);

  const readIndex = async (at: Request): Promise<z.infer<typeof indexSchema> | undefined> => {
    const found = await cache.match(at);
    const parsed = found && indexSchema.safeParse(await found.json());
    return parsed?.success ? parsed.data : undefined;
  };

  const answerAt = (
    place: TierPlace,
    { generation, names }: z.infer<typeof indexSchema>,
  ): Promise<Request> => {
    const values = names.map((name) => place.header(name) ?? null);
    return addressed(place.key, `answer ${place.route} ${generation} ${JSON.stringify(values)} ${place.key}`);
  };

  return {
    find: (place) =>
      quietly(async () => {
        const index = await readIndex(await indexOf(place));
        const found = index && (await cache.match(await answerAt(place, index)));
        return found && unpacked(new Uint8Array(await found.arrayBuffer()), settings);
      }),
    put: async (place, answer, nowMs) => {
      const staleMs = Math.max(answer.whileRevalidateMs, answer.ifErrorMs);
      const seconds = Math.floor((answer.lifetimeMs - ageOf(answer, nowMs) + staleMs) / 1_000);
      if (seconds < 1) return;
      await quietly(async () => {
        const at = await indexOf(place);
        const names = answer.selectors.map(([name]) => name).sort();
        const known = await readIndex(at);
        const same = known !== undefined && JSON.stringify(known.names) === JSON.stringify(names);
        const index = { generation: same ? known.generation : newGeneration(), names };
        await cache.put(await answerAt(place, index), lasting(packed(answer), seconds));
        await cache.put(at, lasting(JSON.stringify(index), seconds));
      });
    },
    invalidate: async (place) => void (await quietly(async () => cache.delete(await indexOf(place)))),
  };
};

const quietly = async <Value>(work: () => Promise<Value>): Promise<Value | undefined> => {
  try {
    return await work();
  } catch {
    return undefined;
  }
};

/** A digest: addresses are bounded, and what tells answers apart stays unread. */
const addressed = async (key: string, name: string): Promise<Request> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  return new Request(new URL(`/skerry-cache/${encodeBase64url(new Uint8Array(digest))}`, key));
};

const lasting = (body: Uint8Array<ArrayBuffer> | string, seconds: number): Response =>
  new Response(body, {
    headers: { "cache-control": `max-age=${seconds}`, "content-type": "application/octet-stream" },
  });

/** A line of JSON, then the body: whatever its status and encoding, the cache sees plain bytes. */
const packed = ({ status, headers, selectors, respondedAt, initialAgeMs, body }: StoredAnswer) => {
  const aged = [...headers, ["age", `${Math.ceil(initialAgeMs / 1_000)}`]];
  const named = selectors.map(([name, value]) => [name, value ?? null]);
  const told = { status, headers: aged, selectors: named, respondedAt, hasBody: body !== null };
  const head = new TextEncoder().encode(`${JSON.stringify(told)}\n`);
  const all = new Uint8Array(head.byteLength + (body?.byteLength ?? 0));
  all.set(head);
  if (body) all.set(body, head.byteLength);
  return all;
};

const unpacked = (all: Uint8Array<ArrayBuffer>, settings: CacheSettings): StoredAnswer => {
  const end = all.indexOf(LINE_FEED);
  const head = headSchema.parse(JSON.parse(new TextDecoder().decode(all.subarray(0, end))));
  const headers = new Headers(head.headers);
  const selectors = head.selectors.map(([name, value]) => [name, value ?? undefined] as const);
  const body = head.hasBody ? all.slice(end + 1) : null;
  const times = { requestedAt: head.respondedAt, respondedAt: head.respondedAt };
  return storedAnswer({ status: head.status, headers, body, selectors }, times, settings);
};
