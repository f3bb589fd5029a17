/** What a request waits for before its isolate answers it by what it knows: nothing, but for an isolate that slept. */
import { EPOCH_FIELD } from "./epoch-field.ts";
import type { ControlLink, WaitUntil } from "./link.ts";

/**
 * Undefined when the isolate may answer at once, as it does under traffic. A cold one waits for what there is to know; one
 * that had no traffic for a while, and is told by this request that there is news, waits for a look. Both are bounded.
 */
export const readyFor = (
  request: Pick<Request, "headers">,
  link: Pick<ControlLink, "loaded" | "load" | "hasMissed" | "lookNow">,
  waitUntil: WaitUntil,
): Promise<unknown> | undefined => {
  if (!link.loaded()) return link.load(waitUntil);
  return link.hasMissed(Number(request.headers.get(EPOCH_FIELD) ?? 0)) ? link.lookNow() : undefined;
};
