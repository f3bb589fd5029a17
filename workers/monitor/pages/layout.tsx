/** The frame of every page of the monitor. */
import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import { STYLES } from "./styles.ts";

/** A small island under a beacon, as data: nothing is fetched for it. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#155e75"/><path d="M2 12h3l2-7 2.5 5L11 8l1 4h2" fill="none" stroke="#a5f3fc" stroke-width="1.6" stroke-linejoin="round"/></svg>',
)}`;

export interface LayoutProps {
  readonly title: string;
  /** Marks the page's script for its Content-Security-Policy. */
  readonly nonce: string;
  /** The project's own text, never anyone's data. */
  readonly script?: string;
  readonly header?: Child;
  readonly children?: Child;
}

export const Layout = ({ title, nonce, script, header, children }: LayoutProps) => (
  <>
    {raw("<!doctype html>")}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" href={ICON} />
        <style>{raw(STYLES)}</style>
      </head>
      <body>
        <header class="bar">
          <nav aria-label="Monitor">
            <a class="brand" href="/monitor/">
              <img src={ICON} alt="" width="20" height="20" />
              Skerry <span>monitor</span>
            </a>
            <a href="/monitor/">Traces</a>
            <a href="/monitor/metrics">Metrics</a>
          </nav>
          {header}
        </header>
        <main>{children}</main>
        {script && <script nonce={nonce}>{raw(script)}</script>}
      </body>
    </html>
  </>
);
