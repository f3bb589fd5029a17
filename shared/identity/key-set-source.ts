/** Where the keys of an issuer come from: given once, or fetched and kept new by those who use them. */
import { LIMITS } from "../limits.ts";
import type { Clock, Sleep } from "../runtime/clock.ts";
import { type Fetch, fetchKeySet } from "./fetch-key-set.ts";
import { type KeySet, keySetOf } from "./key-set.ts";

export type WaitUntil = (work: Promise<unknown>) => void;

export interface KeySetSource {
  /** What is in force now, without a wait where something is; undefined when the issuer cannot be reached. */
  current(waitUntil: WaitUntil): KeySet | undefined | Promise<KeySet | undefined>;
  /** For a key that is not in force: what is, after the issuer was asked, unless it was asked a moment ago. */
  renewed(waitUntil: WaitUntil): Promise<KeySet | undefined>;
}

export interface FetchedKeySetOptions {
  readonly url: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly sleep: Sleep;
}

/** Keys that are written down: others come with another configuration. */
export const givenKeySet = (document: unknown): KeySetSource => {
  const set = keySetOf(document);
  return { current: () => set, renewed: async () => set };
};

/** A quarter of its time before a set is old it is asked for beside requests, so that none of a busy isolate's waits for it. */
const REFRESH_AT = 0.75;

/**
 * Kept in memory. Asked for beside a request when it grows old, before one when it is old or has not a key; one question at a
 * time. The last good set stays for `LIMITS.keySetKeptMs` when the issuer is down. State is plain data, because a promise
 * belongs to the request that made it: who needs the answer to another's question looks for it a bounded number of times.
 */
export const fetchedKeySet = ({ url, fetch, clock, sleep }: FetchedKeySetOptions): KeySetSource => {
  let held: { readonly set: KeySet; text: string; at: number; freshMs: number } | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking = false;

  const ageMs = (): number => (held ? clock() - held.at : Number.POSITIVE_INFINITY);
  const inForce = (): KeySet | undefined => (ageMs() < LIMITS.keySetKeptMs ? held?.set : undefined);
  const sinceAskedMs = (): number => clock() - askedAt;
  // Who asks may be gone before the answer: its question counts only as long as it may take.
  const isAsked = (): boolean => asking && sinceAskedMs() <= LIMITS.keySetMs;
  const mayAsk = (): boolean =>
    !isAsked() && sinceAskedMs() >= (inForce() ? LIMITS.keySetAgainMs : LIMITS.keySetColdAgainMs);

  const ask = async (): Promise<void> => {
    const began = clock();
    askedAt = began;
    asking = true;
    try {
      const { text, freshMs } = await fetchKeySet(url, fetch, sleep);
      const set = text === held?.text ? held.set : keySetOf(JSON.parse(text));
      // A set without any key is an issuer's mistake more likely than its end.
      if (set?.keys.length) held = { set, text, freshMs, at: clock() };
    } catch {
      // What is in force stays; whoever finds nothing in force says so to its client.
    } finally {
      if (askedAt === began) asking = false;
    }
  };

  const answered = async (): Promise<void> => {
    for (let waitedMs = 0; isAsked() && waitedMs <= LIMITS.keySetMs; waitedMs += LIMITS.keySetLookMs)
      await sleep(LIMITS.keySetLookMs);
  };

  const afterAsking = async (waitUntil: WaitUntil): Promise<KeySet | undefined> => {
    if (mayAsk()) {
      const question = ask();
      waitUntil(question);
      await question;
    } else await answered();
    return inForce();
  };

  return {
    current(waitUntil) {
      const set = inForce();
      if (!set || !held) return afterAsking(waitUntil);
      const age = ageMs();
      if (age < held.freshMs * REFRESH_AT || !mayAsk()) return set;
      if (age >= held.freshMs) return afterAsking(waitUntil);
      waitUntil(ask());
      return set;
    },
    renewed: afterAsking,
  };
};
