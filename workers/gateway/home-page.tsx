/** The front page: what runs here, where to look, and a first order to copy. */
import { raw } from "hono/html";
import { PageLayout } from "./page-layout.tsx";
import type { ListedService } from "./registered-services.ts";

export interface HomePageProps {
  /** As the browser reached the gateway: "http://localhost:8787". */
  readonly origin: string;
  readonly services: readonly ListedService[];
  /** How many more are registered than are shown. */
  readonly hidden: number;
  readonly nonce: string;
}

export const HomePage = ({ origin, services, hidden, nonce }: HomePageProps) => (
  <PageLayout
    title="Skerry"
    lead="A shop made of small services that only talk through a log of events. This is its gateway."
    nonce={nonce}
  >
    <h2>Services</h2>
    <ul class="cards">
      {services.map((service) => (
        <ServiceCard {...service} />
      ))}
      <li data-service="control">
        <CardTitle name="control" />
        <p>Keeps settings and the registry of services, and changes them while the system runs.</p>
        <p class="links">
          <code>/control/v1</code> <a href="/control/v1/openapi.json">OpenAPI</a>
        </p>
      </li>
      <li data-service="monitor">
        <CardTitle name="monitor" />
        <p>Keeps the last traces: one order through every service, as a waterfall.</p>
        <p class="links">
          <a href="/monitor/">Open the monitor</a>
        </p>
      </li>
    </ul>
    {hidden > 0 && (
      <p class="quiet">
        And {hidden} more: <a href="/openapi.json">all documents</a>.
      </p>
    )}
    <h2>A first order</h2>
    <p class="quiet">
      In a terminal, one after the other. The order is confirmed a moment after it is placed.
    </p>
    <ol class="steps">
      {firstOrder(origin).map(({ title, command }, index) => (
        <li>
          <div class="row">
            <p id={`step-${index}`}>
              {index + 1}. {title}
            </p>
            <button type="button" data-copy={`command-${index}`} aria-describedby={`step-${index}`} hidden>
              Copy
            </button>
          </div>
          <pre>
            <code id={`command-${index}`}>{command}</code>
          </pre>
        </li>
      ))}
    </ol>
    <p class="quiet">
      Then look at the <a href="/monitor/">trace of it</a>. Each answer carries an <code>X-Request-Id</code>.
      Errors are <code>application/problem+json</code>, and <a href="/problems">every code is explained</a>.
    </p>
    <p role="status" id="said" class="quiet"></p>
    <script nonce={nonce}>{raw(SCRIPT)}</script>
  </PageLayout>
);

const ServiceCard = ({ name, majors, summary }: HomePageProps["services"][number]) => (
  <li data-service={name}>
    <CardTitle name={name} />
    <p>{summary}</p>
    {majors.map((major) => (
      <p class="links">
        <code>{`/${name}/v${major}`}</code> <a href={`/${name}/v${major}/openapi.json`}>OpenAPI</a>
      </p>
    ))}
  </li>
);

const CardTitle = ({ name }: { name: string }) => (
  <div class="row">
    <h3>{name}</h3>
    <span class="state" />
  </div>
);

const JSON_HEADER = "-H 'content-type: application/json'";

const firstOrder = (origin: string) => [
  {
    title: "Put a product into the catalog",
    command: `curl -X PUT ${origin}/catalog/v1/products/tea-500 ${JSON_HEADER} \\\n  -d '{"name": "Black tea, 500 g", "price": {"amount": 1290, "currency": "EUR"}}'`,
  },
  {
    title: "Receive some stock of it",
    command: `curl -X POST ${origin}/inventory/v1/stock/tea-500/receipts ${JSON_HEADER} \\\n  -d '{"quantity": 100}'`,
  },
  {
    title: "Place an order",
    command: `curl -i -X POST ${origin}/orders/v1/orders ${JSON_HEADER} \\\n  -d '{"customerId": "ada", "lines": [{"sku": "tea-500", "quantity": 2}]}'`,
  },
  { title: "See what became of it", command: `curl '${origin}/orders/v1/orders?customerId=ada'` },
];

/** Fills in who is ready, and lets buttons copy; without it the page only lacks these two. */
const SCRIPT = `
const said = document.getElementById("said");
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    said.textContent = "The command is in the clipboard.";
    setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
  });
}
const showReadiness = async () => {
  const { checks } = await (await fetch("/readyz")).json();
  for (const { name, ready, detail } of checks) {
    const card = document.querySelector("[data-service=" + CSS.escape(name) + "]");
    if (!card) continue;
    const state = card.querySelector(".state");
    state.dataset.ready = ready ? "yes" : "no";
    state.textContent = ready ? "ready" : "not ready";
    if (detail) {
      const why = document.createElement("p");
      why.className = "why";
      why.textContent = detail;
      card.querySelector(".row").after(why);
    }
  }
};
showReadiness().catch(() => {});
`;
