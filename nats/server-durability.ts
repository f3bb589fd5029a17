/** Which durability a server runs with, where its monitoring says it: no client connection tells. */
import type { Durability } from "./server-config.ts";

export interface RunningDurability {
  readonly durability: Durability;
  /** How long after its acknowledgement a commit may not be on disk yet; 0 for `always`. */
  readonly upToMs: number;
}

interface JetStreamState {
  readonly config?: { readonly sync_interval?: number; readonly sync_always?: boolean };
}

/** What every server does that says nothing of it. */
const DEFAULT_SYNC_MS = 120_000;
const ANSWER_MS = 3_000;

/**
 * @param monitorUrl of the server's monitoring: `http://127.0.0.1:8222`
 * @throws Error when nobody answers there, or it is no server with JetStream
 */
export const readDurability = async (
  monitorUrl: string,
  ask: typeof fetch = fetch,
): Promise<RunningDurability> => {
  const url = `${monitorUrl.replace(/\/+$/, "")}/jsz?config=1`;
  const state = await ask(url, { signal: AbortSignal.timeout(ANSWER_MS) })
    .then((response) => (response.ok ? (response.json() as Promise<JetStreamState>) : undefined))
    .catch(() => undefined);
  if (state?.config === undefined)
    throw new Error(
      `Cannot read the durability at "${url}": expected the monitoring of a server with JetStream`,
    );
  if (state.config.sync_always) return { durability: "always", upToMs: 0 };
  const upToMs = (state.config.sync_interval ?? DEFAULT_SYNC_MS * 1_000_000) / 1_000_000;
  return { durability: "interval", upToMs };
};
