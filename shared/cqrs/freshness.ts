/** Read your own writes: a query waits until its read model holds what the client asks for. */
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import { MIN_POSITION_HEADER, parseMinPosition } from "./position.ts";
import type { ProjectorMethods } from "./projector-actor.ts";
import { reachingActor } from "./reaching-actor.ts";

/**
 * @param request.header value of `Skerry-Min-Position`; without one nothing is asked of the read model
 * @returns `position_not_reached` when the read model does not get there within `LIMITS.positionWaitMs`: never an older state
 */
export const awaitPosition = async (request: {
  header: string | undefined;
  service: string;
  projector: () => Pick<ProjectorMethods, "waitFor">;
}): Promise<Result<undefined, Failure>> => {
  const wanted = parseMinPosition(request.header, request.service);
  if (!wanted.ok) return wanted;
  if (wanted.value === 0) return ok(undefined);
  const timeoutMs = LIMITS.positionWaitMs;
  const reached = await reachingActor(async () =>
    ok(await request.projector().waitFor({ position: wanted.value, timeoutMs })),
  );
  if (!reached.ok) return reached;
  if (reached.value) return ok(undefined);
  return err({
    code: "position_not_reached",
    detail: `Waiting for ${MIN_POSITION_HEADER} "${request.service}=${wanted.value}": not reached within ${timeoutMs} ms.`,
  });
};
