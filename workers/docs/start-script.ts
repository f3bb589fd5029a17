/** What the page runs: starts the viewer on the merged document, and follows the reader's choice of light or dark. */

/** Only these of the page's query are told on: which service to show alone. */
export const START_SCRIPT = `
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();
const asked = new URLSearchParams(location.search);
const passed = new URLSearchParams();
for (const name of ["service", "major"]) if (asked.has(name)) passed.set(name, asked.get(name));
const query = passed.toString();
SwaggerUIBundle({
  url: "/openapi.json" + (query && "?" + query),
  domNode: document.getElementById("viewer"),
  deepLinking: true,
  filter: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  queryConfigEnabled: false,
  validatorUrl: null,
});
`;
