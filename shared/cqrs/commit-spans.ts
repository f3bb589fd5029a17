/** Spans for work on commits: each recorded trace that led here gets its own, so that it can be followed to the end. */
import type { Attributes } from "@opentelemetry/api";
import type { Commit } from "../events/event.ts";
import { withTrace } from "../telemetry/propagation.ts";
import { inSpan } from "../telemetry/span.ts";

/** More traces than this in one batch are a backlog, not something to look at one by one. */
const TRACES_MAX = 32;
/** More commits than this are one, too: who looks for traces among them reads the headers of all. */
const COMMITS_MAX = 500;
/** The last field of a `traceparent` with the sampled bit set (W3C Trace Context, section 3.2.2.5). */
const SAMPLED = /-[0-9a-f][13579bdf]$/;

/**
 * Runs `work` once, inside a consumer span in each distinct sampled trace of the commits. What else rides along with commits
 * (the epoch) is taken from the newest, recorded or not.
 */
export const inCommitSpans = <T>(
  name: string,
  attributes: Attributes,
  commits: readonly Commit[],
  work: () => Promise<T>,
): Promise<T> => {
  withTrace(commits.at(-1)?.trace ?? {}, () => undefined);
  const sampled = new Map<string, Commit>();
  for (const commit of commits.length > COMMITS_MAX ? [] : commits) {
    const { traceparent } = commit.trace;
    if (traceparent && SAMPLED.test(traceparent)) sampled.set(traceparent, commit);
    if (sampled.size === TRACES_MAX) break;
  }
  return [...sampled.values()].reduceRight(
    (inner, commit) => () =>
      withTrace(commit.trace, () => inSpan(name, { kind: "consumer", attributes }, inner)),
    work,
  )();
};
