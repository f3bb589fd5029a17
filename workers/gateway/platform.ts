/** What the platform gives beside a request. */
export type Platform = Pick<ExecutionContext, "waitUntil" | "passThroughOnException" | "props">;
