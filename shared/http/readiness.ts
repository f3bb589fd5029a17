/** `/readyz`: asks everything that a worker needs, at once and bounded in time. */
import type { Result } from "../result.ts";
import { type Sleep, sleep } from "../runtime/clock.ts";

/** One thing that a worker cannot do without. */
export interface ReadinessCheck {
  readonly name: string;
  /** Refuses with what is wrong; a throw counts as a refusal. What is well may say a `detail`, too. */
  check(): Promise<Result<unknown, { readonly detail: string }>>;
}

export interface Readiness {
  readonly service: string;
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ready: boolean; readonly detail?: string }[];
}

type Outcome = Omit<Readiness["checks"][number], "name">;

export interface ReadinessBounds {
  /** For each check; 1.5 s when absent. */
  readonly timeoutMs?: number;
  readonly wait?: Sleep;
}

/** Runs every check side by side; one that does not answer in time is not ready. */
export const assessReadiness = async (
  service: string,
  checks: readonly ReadinessCheck[],
  { timeoutMs = 1_500, wait = sleep }: ReadinessBounds = {},
): Promise<Readiness> => {
  const results = await Promise.all(checks.map((check) => runCheck(check, timeoutMs, wait)));
  return { service, ready: results.every(({ ready }) => ready), checks: results };
};

/** 200 or 503, always with each check by name. */
export const readinessHandler =
  (service: string, checks: readonly ReadinessCheck[], bounds?: ReadinessBounds) =>
  async (): Promise<Response> => {
    const readiness = await assessReadiness(service, checks, bounds);
    return Response.json(readiness, {
      status: readiness.ready ? 200 : 503,
      headers: { "cache-control": "no-store", ...(!readiness.ready && { "retry-after": "1" }) },
    });
  };

const runCheck = async (
  { name, check }: ReadinessCheck,
  timeoutMs: number,
  wait: Sleep,
): Promise<Readiness["checks"][number]> => {
  const timer = new AbortController();
  const timedOut = wait(timeoutMs, timer.signal).then(
    (): Outcome => ({ ready: false, detail: `no answer within ${timeoutMs} ms` }),
  );
  const found = await Promise.race([outcomeOf(check), timedOut]);
  timedOut.catch(() => undefined);
  timer.abort();
  return { name, ...found };
};

const outcomeOf = async (check: ReadinessCheck["check"]): Promise<Outcome> => {
  try {
    const result = await check();
    if (!result.ok) return { ready: false, detail: result.error.detail };
    const detail = noteIn(result.value);
    return { ready: true, ...(detail !== undefined && { detail }) };
  } catch (error) {
    return { ready: false, detail: error instanceof Error ? error.message : String(error) };
  }
};

const noteIn = (value: unknown): string | undefined =>
  typeof value === "object" && value !== null && "detail" in value && typeof value.detail === "string"
    ? value.detail
    : undefined;
