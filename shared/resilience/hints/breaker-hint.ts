/** What isolates and the control plane say to each other of breakers. */

/** An instance of a service: what a breaker is for. */
export interface BreakerName {
  readonly service: string;
  readonly instance: string;
}

/** What one isolate sees of an instance. */
export interface BreakerReport extends BreakerName {
  /** Half-open counts as open: nothing has shown yet that the instance is well. */
  readonly state: "open" | "closed";
  /** In the breaker's window, which says why. */
  readonly calls: number;
  readonly failures: number;
}

/** Many isolates see an instance fail. Opens nothing: a closed breaker samples its calls for a while. */
export interface BreakerHint extends BreakerName {
  /** Another one for each hint of an instance; who has answered one by its own calls is done with it. */
  readonly id: number;
  /** How long it stands from its telling on. */
  readonly forMs: number;
}

/** What the control plane tells of breakers with each answer of a look; all that it does not name is withdrawn. */
export interface BreakerNews {
  readonly hints: readonly BreakerHint[];
  /** Somebody says that these fail: whoever has called them lately tells how it went, with its next look. */
  readonly asked: readonly BreakerName[];
}

export const NO_BREAKER_NEWS: BreakerNews = { hints: [], asked: [] };
