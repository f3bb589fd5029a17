/** A page as an answer, with a policy that lets nothing run but the page's own style and script. */
import type { Child } from "hono/jsx";

/** `page` must put the nonce on its `style` and `script`; nothing is loaded from anywhere else. */
export const htmlResponse = async (method: string, page: (nonce: string) => Child): Promise<Response> => {
  const nonce = crypto.randomUUID();
  const html = `<!doctype html>${await page(nonce)}`;
  return new Response(method === "HEAD" ? null : html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      vary: "accept",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "content-security-policy": [
        "default-src 'none'",
        `style-src 'nonce-${nonce}'`,
        `script-src 'nonce-${nonce}'`,
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ].join("; "),
    },
  });
};
