/** Keeps a process registered: for Node, Bun, Deno and whatever else has `fetch`. */
import { backoffMs } from "../../cqrs/backoff.ts";
import { LIMITS } from "../../limits.ts";
import type { Clock, Random, Sleep } from "../../runtime/clock.ts";
import { type RegistryAnswer, type RegistryClientOptions, registryClient } from "./registry-client.ts";

export interface RegistrarOptions extends RegistryClientOptions {
  /** Semantic version; its major is the `v{major}` of the paths that the process answers. */
  readonly version: string;
  /** Where the gateway reaches the process: "http://10.0.0.7:8080". */
  readonly url: string;
  readonly zone?: string;
  /** Share of the work among its peers; 100 when absent. */
  readonly weight?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** How the control plane asks whether the process is well (`GET /healthz` when absent); false: by its lease only. */
  readonly health?: false | Partial<ProcessHealthCheck>;
  /** How long the registry keeps a process that it does not hear of; 15 when absent. */
  readonly ttlSeconds?: number;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly random?: Random;
  /** Told of the first failure in a row, and of each refusal; nothing when absent. */
  readonly onProblem?: (problem: RegistrarProblem) => void;
}

export interface ProcessHealthCheck {
  readonly path: string;
  readonly intervalSeconds: number;
  readonly timeoutMs: number;
  /** Successes in a row that end a failure. */
  readonly rise: number;
  /** Failures in a row that make it down. */
  readonly fall: number;
}

/**
 * `refused` is final: the same request would be refused again. `draining` is final for a process that was registered: an
 * operator removes it. `unreachable` is tried again without end.
 */
export interface RegistrarProblem {
  readonly kind: "refused" | "draining" | "unreachable";
  readonly message: string;
}

/**
 * `registering`: not accepted yet, or so long ago that the lease is over. `refused`, `drained` (also by an operator) and
 * `closed` are for ever.
 */
export type RegistrarState =
  | "new"
  | "registering"
  | "registered"
  | "refused"
  | "draining"
  | "drained"
  | "closed";

export interface DrainOptions {
  /** How long requests under way may take to end. */
  readonly graceMs: number;
  /** How many requests are under way; none when absent. */
  readonly inFlight?: () => number;
}

export interface Registrar {
  /**
   * Registers, and renews the lease from then on, whatever fails. Resolves when the process is registered or refused, or
   * after ten seconds without an answer: it goes on by itself then. Never rejects.
   */
  start(): Promise<void>;
  state(): RegistrarState;
  /**
   * Asks for no more work, then waits until everyone knows and no request is under way, or until the grace is over; close
   * the server after it. Never rejects.
   */
  drain(options: DrainOptions): Promise<void>;
  /** Stops at once and tells nobody: the lease runs out. */
  close(): void;
}

const TTL_SECONDS = 15;
const IN_FLIGHT_POLL_MS = 50;
/** The longest that the registry tells of an instance that drains. */
const DRAIN_SECONDS_MAX = 3_600;

export const registrar = (options: RegistrarOptions): Registrar => {
  const { clock, sleep, random = Math.random, ttlSeconds = TTL_SECONDS, onProblem = () => {} } = options;
  const client = registryClient(options);
  const stopped = new AbortController();
  const closed = new AbortController();
  let phase: Exclude<RegistrarState, "registered"> = "new";
  let acceptedAt: number | undefined;
  let renewing = Promise.resolve();

  const { version, url, zone, weight, metadata, health } = options;
  const registration = JSON.stringify({ version, url, zone, weight, metadata, health, ttlSeconds });

  const tell = (answer: Exclude<RegistryAnswer, { kind: "accepted" }>, failures: number) => {
    if (closed.signal.aborted || (answer.kind !== "refused" && failures > 0)) return;
    onProblem({ kind: answer.kind, message: answer.message });
  };

  /** A process that never was registered finds the id of its predecessor draining, and waits until it is free. */
  const renew = async (failures: number): Promise<"accepted" | "failed" | "final"> => {
    const sentAt = clock();
    const answer = await client.put(registration, closed.signal);
    if (answer.kind !== "accepted") tell(answer, failures);
    else acceptedAt = sentAt;
    if (answer.kind === "accepted") return "accepted";
    if (answer.kind === "unreachable" || (answer.kind === "draining" && acceptedAt === undefined))
      return "failed";
    if (phase === "registering") phase = answer.kind === "refused" ? "refused" : "drained";
    return "final";
  };

  /** Jitter only shortens: the lease has room for two renewals that are lost. */
  const renewalMs = () => (ttlSeconds * 1_000 * (0.75 + random() / 4)) / 3;

  const renewUntilStopped = async (settled: () => void): Promise<void> => {
    let failures = 0;
    while (!stopped.signal.aborted) {
      const outcome = await renew(failures);
      if (outcome !== "failed") settled();
      if (outcome === "final") return;
      failures = outcome === "failed" ? failures + 1 : 0;
      const pause = failures > 0 ? backoffMs(failures, random) : renewalMs();
      await sleep(pause, stopped.signal).catch(() => {});
    }
  };

  /** Tries as long as the grace lasts: who cannot be reached by then lets the lease run out. */
  const deregister = async (deadline: number): Promise<void> => {
    const drainSeconds = Math.min(DRAIN_SECONDS_MAX, Math.ceil(Math.max(0, deadline - clock()) / 1_000));
    for (let failures = 0; !closed.signal.aborted; failures++) {
      const answer = await client.remove(drainSeconds, closed.signal);
      if (answer.kind !== "accepted") tell(answer, failures);
      if (answer.kind !== "unreachable") return;
      const pause = backoffMs(failures + 1, random);
      if (clock() + pause >= deadline) return;
      await sleep(pause, closed.signal).catch(() => {});
    }
  };

  const untilIdle = async (deadline: number, inFlight: () => number): Promise<void> => {
    while (clock() < deadline && inFlight() > 0 && !closed.signal.aborted)
      await sleep(Math.min(IN_FLIGHT_POLL_MS, deadline - clock()), closed.signal).catch(() => {});
  };

  return {
    async start() {
      if (phase !== "new") return;
      phase = "registering";
      const settled = new Promise<void>((resolve) => {
        renewing = renewUntilStopped(resolve).finally(resolve);
      });
      const waited = new AbortController();
      await Promise.race([settled, sleep(LIMITS.registrarStartMs, waited.signal).catch(() => {})]);
      waited.abort();
    },
    state() {
      const isLeased = acceptedAt !== undefined && clock() - acceptedAt < ttlSeconds * 1_000;
      return phase === "registering" && isLeased ? "registered" : phase;
    },
    async drain({ graceMs, inFlight = () => 0 }) {
      const deadline = clock() + graceMs;
      if (phase === "registering") {
        phase = "draining";
        stopped.abort();
        // A renewal under way that came after the removal would register the process again.
        await renewing;
        await deregister(deadline);
        const spreadMs = Math.min(LIMITS.drainSpreadMs, Math.max(0, deadline - clock()));
        await sleep(spreadMs, closed.signal).catch(() => {});
      }
      await untilIdle(deadline, inFlight);
      if (phase === "draining") phase = "drained";
    },
    close() {
      if (phase !== "drained") phase = "closed";
      stopped.abort();
      closed.abort();
    },
  };
};
