/** The page around the viewer; the viewer's own dark colours come with its class. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; }
body { margin: 0; background: light-dark(#f6f7f5, #1c2022); font: 1rem/1.55 ui-sans-serif, system-ui, sans-serif; }
header { display: flex; gap: 1.25rem; align-items: baseline; flex-wrap: wrap; max-width: 1460px; margin: 0 auto; padding: .9rem 20px; color: light-dark(#16211f, #e4eceb); }
header h1 { font-size: 1.1rem; margin: 0; }
header a { color: light-dark(#0b6157, #5fd0bf); }
noscript { display: block; max-width: 1460px; margin: 2rem auto; padding: 0 20px; }
#viewer .information-container .info { margin: 1.25rem 0; }
#viewer .scheme-container { background: none; box-shadow: none; margin: 0; padding: 0 0 10px; }
#viewer .opblock .opblock-summary-path { word-break: break-word; }
#viewer .operation-filter-input { box-sizing: border-box; width: 100%; max-width: none; }
@media (max-width: 640px) {
  header { padding-inline: 10px; gap: .4rem .75rem; }
  #viewer .wrapper { padding: 0 10px; }
  #viewer .opblock .opblock-summary { flex-wrap: wrap; }
  #viewer .scheme-container .schemes-server-container, #viewer .servers select { max-width: 100%; }
}
`;
