/** Turns what is thrown because an Actor could not be reached into the refusal that callers handle. */
import type { Failure } from "../http/errors.ts";
import { err, type Result } from "../result.ts";
import { ActorUnavailable } from "../runtime/actor.ts";

/** What `call` answers, or `unavailable`; anything else that is thrown is a defect and passes. */
export const reachingActor = async <T>(
  call: () => Promise<Result<T, Failure>>,
): Promise<Result<T, Failure>> => {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ActorUnavailable) return err({ code: "unavailable", detail: error.message });
    throw error;
  }
};
