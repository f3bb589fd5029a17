/** The monitor's style sheet: dense, light and dark, one colour for each service. */

/** Twelve hues, far apart in the order in which services appear. */
const HUES = [210, 35, 150, 285, 345, 95, 185, 60, 255, 315, 120, 10];

const SERVICE_COLOURS = HUES.map((hue, place) => `.c${place}{--hue:${hue};--sat:1}`).join("");

export const STYLES = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f8f9, #0d1317);
  --panel: light-dark(#ffffff, #131b20);
  --raised: light-dark(#eef2f4, #1b252b);
  --line: light-dark(#dde4e8, #243038);
  --text: light-dark(#14212a, #dde7ec);
  --quiet: light-dark(#546772, #8ea2ad);
  --accent: light-dark(#0e6f87, #67d3ea);
  --bad: light-dark(#b3261e, #ff8a80);
  --bad-ground: light-dark(#fdecea, #3a1a1a);
  --mono: ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, monospace;
  font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
${SERVICE_COLOURS}
.c-none { --hue: 0; --sat: 0 }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--text) }
a { color: var(--accent); text-decoration: none }
a:hover { text-decoration: underline }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; border-radius: 3px }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
h1 { font-size: 1.25rem; margin: 0; overflow-wrap: anywhere }
h2 { font-size: .72rem; text-transform: uppercase; letter-spacing: .06em; color: var(--quiet); margin: 0 0 4px; font-weight: 600 }
code, kbd { font-family: var(--mono); font-size: .92em }
kbd { border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 4px; padding: 0 4px; background: var(--panel) }
main { max-width: 1500px; margin: 0 auto; padding: 14px 20px 40px }

.bar { position: sticky; top: 0; z-index: 3; display: flex; align-items: center; justify-content: space-between; height: 44px;
  padding: 0 20px; background: var(--panel); border-bottom: 1px solid var(--line) }
.brand { display: flex; align-items: center; gap: 8px; font-weight: 650; color: var(--text); letter-spacing: -.01em }
.bar nav { display: flex; align-items: center; gap: 18px }
.brand:hover { text-decoration: none }
.brand span { font-weight: 400; color: var(--quiet) }
.live { display: inline-flex; align-items: center; gap: 7px; border: 1px solid var(--line); border-radius: 99px; padding: 3px 12px 3px 9px;
  background: none; color: var(--quiet); font: inherit; cursor: pointer }
.live[hidden] { display: none }
.live i { width: 8px; height: 8px; border-radius: 50%; background: var(--quiet) }
.live[data-state=on] i { background: #22a06b; animation: pulse 2s infinite }
.live[data-state=lost] i { background: var(--bad) }
@keyframes pulse { 50% { opacity: .35 } }

.filter { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-bottom: 8px }
.filter .grow { flex: 1 1 280px }
.filter input[type=search], .filter select, .filter button { height: 32px; width: 100%; border: 1px solid var(--line); border-radius: 6px;
  padding: 0 10px; background: var(--panel); color: inherit; font: inherit }
.filter select { width: auto; padding-right: 6px }
.filter button { width: auto; cursor: pointer; font-weight: 600 }
.filter button:hover { background: var(--raised) }
.tick { display: flex; align-items: center; gap: 6px; padding: 0 4px }
.count { color: var(--quiet); margin: 0 0 6px; font-size: .92em }

.chip { display: inline-flex; align-items: center; gap: 5px; padding: 0 7px 0 6px; border-radius: 4px; font-size: .88em; line-height: 18px;
  white-space: nowrap; max-width: 190px; overflow: hidden; text-overflow: ellipsis;
  background: light-dark(oklch(.94 calc(.04 * var(--sat)) var(--hue)), oklch(.29 calc(.05 * var(--sat)) var(--hue)));
  color: light-dark(oklch(.38 calc(.1 * var(--sat)) var(--hue)), oklch(.86 calc(.08 * var(--sat)) var(--hue))) }
.chip::before { content: ""; width: 6px; height: 6px; border-radius: 50%; flex: none;
  background: light-dark(oklch(.6 calc(.15 * var(--sat)) var(--hue)), oklch(.74 calc(.14 * var(--sat)) var(--hue))) }
.error { color: var(--bad); font-weight: 600; white-space: nowrap }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }

.traces, .metrics { width: 100%; border-collapse: separate; border-spacing: 0; background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
  overflow: hidden }
.traces th, .metrics th { text-align: left; font-weight: 600; color: var(--quiet); font-size: .85em; padding: 6px 12px; background: var(--raised);
  border-bottom: 1px solid var(--line) }
.traces th.number, .metrics th.number { text-align: right }
.traces td, .metrics td { padding: 4px 12px; border-bottom: 1px solid var(--line); height: 31px }
.traces tr:last-child td, .metrics tr:last-child td { border-bottom: 0 }
.traces tbody tr { position: relative }
.traces tbody tr:hover { background: var(--raised) }
.traces .time, .metrics .time { font-family: var(--mono); font-size: .92em; color: var(--quiet); white-space: nowrap; width: 1% }
.traces .name { font-weight: 550; max-width: 420px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.traces .name a { color: var(--text) }
.traces .name a::after { content: ""; position: absolute; inset: 0 }
.traces .name a:focus-visible { outline: none }
.traces tr:has(a:focus-visible) { outline: 2px solid var(--accent); outline-offset: -2px }
.traces .name .error { margin-left: 8px; font-size: .88em; background: var(--bad-ground); border-radius: 4px; padding: 1px 6px }
.traces .chips { display: flex; flex-wrap: wrap; gap: 4px; align-items: center }
.traces .track { width: 140px }
.traces .track i { display: block; height: 6px; min-width: 2px; border-radius: 3px; background: var(--accent); opacity: .55 }
.traces .failed .track i { background: var(--bad) }
.traces .failed td:first-child { box-shadow: inset 3px 0 var(--bad) }
.traces .empty, .metrics .empty { padding: 48px; text-align: center; color: var(--quiet) }
.metrics .name { font-weight: 550; overflow-wrap: break-word }
.metrics .name small { color: var(--quiet); font-weight: 400 }
.metrics .pairs { font-family: var(--mono); font-size: .92em; color: var(--quiet); overflow-wrap: anywhere }
.traces [data-new] td { animation: arrive 1.6s ease-out }
@keyframes arrive { from { background: light-dark(#d5f0f6, #12343d) } }
.pages { text-align: right; padding: 10px 2px }

.summary { margin-bottom: 12px }
.facts { display: flex; flex-wrap: wrap; gap: 2px 16px; align-items: baseline; color: var(--quiet); margin: 4px 0 }
.facts b { color: var(--text) }
.legend { display: flex; flex-wrap: wrap; gap: 5px; margin: 6px 0 0 }

.axis, .spans summary { display: grid; grid-template-columns: minmax(240px, 38%) 1fr }
.axis { position: sticky; top: 44px; z-index: 2; background: var(--raised); border: 1px solid var(--line); border-radius: 8px 8px 0 0;
  color: var(--quiet); font-size: .85em; font-variant-numeric: tabular-nums; height: 27px; align-items: center }
.axis > span { padding-left: 12px; font-weight: 600 }
.axis div { position: relative; height: 100%; margin-right: 14px }
.axis div span { position: absolute; top: 4px; transform: translateX(-50%); white-space: nowrap }
.axis div span:first-child { transform: none }
.axis div span:last-child { transform: translateX(-100%) }
.spans { list-style: none; margin: 0; padding: 0; background: var(--panel); border: 1px solid var(--line); border-top: 0; border-radius: 0 0 8px 8px;
  overflow: hidden }
.spans > li { --colour: light-dark(oklch(.62 calc(.14 * var(--sat)) var(--hue)), oklch(.7 calc(.13 * var(--sat)) var(--hue))) ;
  border-bottom: 1px solid color-mix(in oklab, var(--line) 55%, transparent); scroll-margin: 80px }
.spans > li:last-child { border-bottom: 0 }
.spans summary { list-style: none; cursor: pointer; min-height: 27px; align-items: stretch }
.spans summary::-webkit-details-marker { display: none }
.spans summary:hover, .spans details[open] > summary { background: var(--raised) }
.spans summary:focus-visible { outline-offset: -2px }
.label { display: flex; align-items: center; gap: 7px; min-width: 0; padding: 2px 10px 2px calc(12px + var(--depth) * 11px); position: relative;
  background-image: repeating-linear-gradient(to right, var(--line) 0 1px, transparent 1px 11px); background-repeat: no-repeat;
  background-position: 11px 0; background-size: calc(var(--depth) * 11px) 100% }
.dot { flex: none; width: 8px; height: 8px; border-radius: 2px; background: var(--colour) }
.span-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 550 }
.label small { flex: 0 100 auto; color: var(--quiet); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: .88em }
.mark { flex: none; width: 15px; height: 15px; line-height: 15px; border-radius: 50%; text-align: center; font-size: .8em; color: #fff;
  background: light-dark(#b3261e, #d0443a) }
.failed .span-name { color: var(--bad) }
.orphan { flex: none; font-style: normal; font-size: .8em; color: var(--quiet); border: 1px dashed var(--quiet); border-radius: 4px; padding: 0 4px }
.lane { position: relative; margin-right: 14px;
  background: linear-gradient(to right, var(--line) 1px, transparent 1px) 0 0 / 25% 100%;
  border-right: 1px solid var(--line) }
.bar-of { position: absolute; top: 7px; bottom: 7px; min-width: 3px; border-radius: 3px; background: var(--colour) }
.failed .bar-of { box-shadow: 0 0 0 1.5px var(--panel), 0 0 0 3px light-dark(#b3261e, #ff6b5e) }
.event { position: absolute; top: 50%; width: 7px; height: 7px; margin: -3.5px 0 0 -3.5px; transform: rotate(45deg); background: var(--panel);
  border: 1.5px solid var(--text) }
.took { position: absolute; top: 5px; padding: 0 7px; font-size: .85em; color: var(--quiet); white-space: nowrap; font-variant-numeric: tabular-nums }
.took.inside { color: #fff; text-shadow: 0 0 3px #000a }
.details { padding: 8px 16px 14px 26px; border-left: 3px solid var(--colour); background: color-mix(in oklab, var(--raised) 45%, var(--panel)) }
.details section { margin-top: 10px; min-width: 0 }
.details ul { margin: 0; padding-left: 18px }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 0 28px }
.message { margin: 0 0 6px; color: var(--bad); font-weight: 600; white-space: pre-wrap; overflow-wrap: anywhere }
.attributes { border-collapse: collapse; width: 100%; font-size: .95em }
.attributes th { text-align: left; font-weight: 400; color: var(--quiet); padding: 2px 16px 2px 0; vertical-align: top; white-space: nowrap; width: 1% }
.attributes td { font-family: var(--mono); font-size: .95em; padding: 2px 0; overflow-wrap: anywhere; white-space: pre-wrap }
.attributes tr + tr { border-top: 1px solid var(--line) }
.attributes .number { text-align: left; color: light-dark(#0b5fa5, #8cc4ff) }
.attributes .boolean { color: light-dark(#8a4b00, #ffc078) }
.happened { border-left: 2px solid var(--line); padding-left: 10px; margin-bottom: 8px }
.happened p { margin: 0 0 2px; color: var(--quiet) }
.happened b { color: var(--text) }
.hint { color: var(--quiet); font-size: .88em; margin: 10px 2px }
.notice { max-width: 560px; margin: 12vh auto 0; text-align: center; overflow-wrap: anywhere }
.notice p { color: var(--quiet) }

@media (max-width: 760px) {
  main { padding: 10px }
  .traces .track, .traces th:nth-child(4), .traces td:nth-child(4) { display: none }
  .traces td, .traces th, .metrics td, .metrics th { padding-inline: 7px }
  .metrics :is(th, td):is(:nth-child(3), :nth-child(5), :nth-child(7), :nth-child(9)) { display: none }
  .metrics .single td:nth-child(4) { display: none }
  .metrics .single td:nth-child(5) { display: table-cell }
  .metrics .chip { font-size: 0; line-height: 0; padding: 4px; border-radius: 50%; gap: 0 }
  .traces .name { white-space: normal; overflow-wrap: anywhere; width: 60% }
  .traces .name .error { display: inline-block; margin-left: 0 }
  .traces .chip { font-size: 0; line-height: 0; padding: 4px; border-radius: 50%; gap: 0 }
  .axis, .spans summary { grid-template-columns: 52% 1fr }
  .axis div span:not(:first-child, :last-child), .label small { display: none }
  .columns { grid-template-columns: 1fr }
  .attributes th { white-space: normal; overflow-wrap: anywhere; width: 40% }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important } }
`;
