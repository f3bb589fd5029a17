/** A look at the control plane over an Upstream: the service binding of a worker, or a URL of a process. */
import type { Upstream } from "../http/upstream.ts";
import type { Changes, Look } from "./changes.ts";

/**
 * Asks what is newer than what the isolate has; undefined when nothing is.
 * @throws Error when the answer is neither 200 nor 204, and whatever the upstream rejects with
 */
export const lookAtControl =
  (control: Upstream) =>
  async (look: Look, signal: AbortSignal): Promise<Changes | undefined> => {
    const request = new Request("http://control/internal/changes", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(look),
      signal,
    });
    const response = await control.fetch(request);
    if (response.status === 200) return (await response.json()) as Changes;
    await response.body?.cancel();
    if (response.status === 204) return undefined;
    throw new Error(`Looking at the control plane: it answered "${response.status}"; expected 200 or 204`);
  };
