/** What of an instance's answers speaks against it. */
import { PROBLEM_MEDIA_TYPE } from "#shared/http/problem.ts";

/**
 * A 503 that is a problem document is the word of a service that works ("orders are paused", "not as new as asked for"): it is
 * no failure, and is not tried again. Any other 503 is a platform's or a proxy's, or that of a process that is ending.
 */
export const isServicesWord = (answer: Response): boolean =>
  answer.status === 503 && (answer.headers.get("content-type")?.startsWith(PROBLEM_MEDIA_TYPE) ?? false);

/** Counts against the instance: for its breaker, its ejection, its share of the work. */
export const isFailure = (answer: Response): boolean => answer.status >= 500 && !isServicesWord(answer);
