/** What the gateway's pages have in common: head, style, header and footer. */

import { raw } from "hono/html";
import type { PropsWithChildren } from "hono/jsx";

const STYLE = `
:root { color-scheme: light dark;
  --ground: light-dark(#f6f7f5, #101518); --card: light-dark(#ffffff, #182025); --ink: light-dark(#16211f, #e4eceb);
  --quiet: light-dark(#52625f, #9db0ad); --line: light-dark(#d8dfdc, #2b373c); --link: light-dark(#0b6157, #5fd0bf);
  --code: light-dark(#eef2f0, #0b1013); --good: light-dark(#137a4b, #4fd08c); --bad: light-dark(#b3261e, #ff8a7d); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 ui-sans-serif, system-ui, sans-serif; }
main, header, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; } footer { padding-block: 2rem 3rem; color: var(--quiet); font-size: .875rem; }
h1 { font-size: 2rem; line-height: 1.15; letter-spacing: -.02em; margin: 0; } h1 a { color: inherit; text-decoration: none; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; } h3 { font-size: 1rem; margin: 0; }
p { margin: .4rem 0; max-width: 46rem; } .quiet { color: var(--quiet); }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, button:focus-visible, pre:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 4px; }
code, pre { font: .875rem/1.6 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre { margin: 0; padding: 1rem; overflow-x: auto; background: var(--code); border: 1px solid var(--line); border-radius: 8px; }
ul.cards { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
ul.cards li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1rem; display: flex; flex-direction: column; gap: .3rem; }
ul.cards p { margin: 0; } ul.cards .links { margin-top: auto; padding-top: .3rem; display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; }
.row { display: flex; align-items: baseline; justify-content: space-between; gap: .75rem; flex-wrap: wrap; }
.state { font-size: .8125rem; color: var(--quiet); white-space: nowrap; }
.state::before { content: ""; display: inline-block; width: .55rem; height: .55rem; margin-right: .4rem; border-radius: 50%; background: var(--line); }
.state[data-ready=yes]::before { background: var(--good); } .state[data-ready=no] { color: var(--bad); }
.state[data-ready=no]::before { background: var(--bad); border-radius: 1px; }
.why { color: var(--bad); font-size: .875rem; overflow-wrap: anywhere; }
ol.steps { list-style: none; margin: 1rem 0; padding: 0; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.1rem; } ol.steps p { margin: 0 0 .35rem; }
button { font: inherit; font-size: .8125rem; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .2rem .7rem; cursor: pointer; }
button:hover { border-color: var(--link); } button[hidden] { display: none; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--quiet); padding-bottom: .5rem; }
@media (max-width: 40rem) { .beside { display: none; } ol.steps pre { white-space: pre-wrap; overflow-wrap: anywhere; } }
th, td { text-align: left; padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } th { font-size: .8125rem; color: var(--quiet); font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.25rem; } dt { color: var(--quiet); } dd { margin: 0; }
@media (prefers-reduced-motion: no-preference) { button { transition: border-color .15s; } }
`;

/** A skerry above its water line: drawn here, so that nothing has to be loaded. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cpath d='M3 21 12 8l6 7 4-4 7 10z' fill='%23127466'/%3E%3Cpath d='M2 26q3.5-3 7 0t7 0 7 0 7 0' fill='none' stroke='%2352a89b' stroke-width='2.5'/%3E%3C/svg%3E";

export const PageLayout = ({ title, lead, nonce, children }: PropsWithChildren<PageProps>) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>{title === "Skerry" ? title : `${title} · Skerry`}</title>
      <link rel="icon" href={ICON} />
      <style nonce={nonce}>{raw(STYLE)}</style>
    </head>
    <body>
      <header>
        <h1>{title}</h1>
        <p class="quiet">{lead}</p>
      </header>
      <main>{children}</main>
      <footer>
        <a href="/">Front page</a> · <a href="/docs">Documents</a> · <a href="/problems">Problems</a> ·{" "}
        <a href="/readyz">Readiness</a> · <a href="/monitor/">Monitor</a>
      </footer>
    </body>
  </html>
);

export interface PageProps {
  readonly title: string;
  /** One sentence under the title. */
  readonly lead: string;
  readonly nonce: string;
}
