/** A process' look at the control plane: through the gateway, with a token, where a worker has a binding. */
import type { Changes, Look } from "../../control/changes.ts";

export interface HttpLookOptions {
  /** Without a slash at the end: "https://shop.example". */
  readonly gatewayUrl: string;
  /** A bearer token with the role `read`. */
  readonly token: string;
  /** The platform's when absent. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/**
 * Asks what is newer than what the process has; undefined when nothing is.
 * @throws Error when the answer is neither 200 nor 204, and whatever `fetch` rejects with
 */
export const lookOverHttp =
  ({ gatewayUrl, token, fetch = globalFetch }: HttpLookOptions) =>
  async ({ service, profile, epoch }: Look, signal: AbortSignal): Promise<Changes | undefined> => {
    const query = new URLSearchParams({ service, profile, epoch: `${epoch}` });
    const url = `${gatewayUrl}/control/v1/changes?${query}`;
    const response = await fetch(new Request(url, { headers: { authorization: `Bearer ${token}` }, signal }));
    if (response.status === 200) return (await response.json()) as Changes;
    await response.body?.cancel();
    if (response.status === 204) return undefined;
    throw new Error(`Looking at "${url}": it answered "${response.status}"; expected 200 or 204`);
  };

const globalFetch = (request: Request) => globalThis.fetch(request);
