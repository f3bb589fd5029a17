/** Stands before the control worker and can make it seem refused or silent, as it is for its callers when it is gone. */
import { env } from "cloudflare:workers";

const { CONTROL } = env as unknown as { readonly CONTROL: Fetcher };

let mode: string = "on";

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/switch") {
      mode = searchParams.get("mode") ?? "on";
      return new Response(mode);
    }
    if (mode === "refusing") throw new Error("The control worker is away");
    if (mode === "silent") await new Promise((resolve) => setTimeout(resolve, 600_000));
    return CONTROL.fetch(request);
  },
} satisfies ExportedHandler;
