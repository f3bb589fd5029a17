/** The page that holds the viewer. */
import { raw } from "hono/html";
import { PAGE_STYLE } from "./page-style.ts";
import { START_SCRIPT } from "./start-script.ts";
import type { ViewerFiles } from "./viewer-files.ts";

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cpath d='M3 21 12 8l6 7 4-4 7 10z' fill='%23127466'/%3E%3Cpath d='M2 26q3.5-3 7 0t7 0 7 0 7 0' fill='none' stroke='%2352a89b' stroke-width='2.5'/%3E%3C/svg%3E";

export interface DocsPageProps {
  readonly files: ViewerFiles;
  /** Marks everything that may style or run. */
  readonly nonce: string;
}

export const DocsPage = ({ files, nonce }: DocsPageProps) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Documents · Skerry</title>
      <link rel="icon" href={ICON} />
      <link rel="stylesheet" href={files.style.path} nonce={nonce} />
      <style nonce={nonce}>{raw(PAGE_STYLE)}</style>
    </head>
    <body>
      <header>
        <h1>What the services answer to</h1>
        <a href="/">Front page</a>
        <a href="/openapi.json">openapi.json</a>
        <a href="/problems">Problems</a>
        <a href="/monitor/">Monitor</a>
      </header>
      <main id="viewer" />
      <noscript>
        This page needs a script to show <a href="/openapi.json">/openapi.json</a>.
      </noscript>
      <script src={files.script.path} nonce={nonce} />
      <script nonce={nonce}>{raw(START_SCRIPT)}</script>
    </body>
  </html>
);

/** Nothing is loaded from elsewhere, and nothing runs or styles that does not carry the nonce. */
export const docsPageHeaders = (nonce: string): Record<string, string> => ({
  "cache-control": "no-store",
  "content-security-policy": [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src data:",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
});
