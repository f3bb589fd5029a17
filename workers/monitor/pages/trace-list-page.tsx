/** The list of traces: newest first, filtered by a plain form, kept fresh by a small script. */
import { pathAt } from "../list-query.ts";
import type { TraceFilter, TracePage, TraceSummary } from "../trace-list.ts";
import { counted, dateAndTime, duration, isoTime, timeOfDay } from "./format.ts";
import { Layout } from "./layout.tsx";
import { LIST_SCRIPT } from "./list-script.ts";
import { ServiceChip } from "./service-chip.tsx";

export interface TraceListPageProps {
  readonly page: TracePage;
  readonly filter: TraceFilter;
  readonly url: string;
  readonly nonce: string;
}

export const traceListPage = ({ page, filter, url, nonce }: TraceListPageProps) => (
  <Layout title="Traces · Skerry monitor" nonce={nonce} script={LIST_SCRIPT} header={<Live />}>
    <h1 class="hidden">Traces</h1>
    <search>
      <FilterForm filter={filter} services={page.services} />
    </search>
    <p id="count" class="count">
      {counted(page.traceCount, "trace")} kept · {counted(page.spanCount, "span")}
      {filter.after && (
        <>
          {" · "}
          <a href={pathAt(url, undefined)}>back to the newest</a>
        </>
      )}
    </p>
    <TraceTable page={page} isFiltered={isFiltered(filter)} />
    <nav id="pages" class="pages" aria-label="Pages">
      {page.next && (
        <a rel="next" href={pathAt(url, page.next)}>
          Older traces →
        </a>
      )}
    </nav>
  </Layout>
);

const isFiltered = ({ service, errorsOnly, text }: TraceFilter): boolean =>
  Boolean(service || errorsOnly || text);

const Live = () => (
  <button id="live" type="button" class="live" aria-pressed="true" hidden>
    <i aria-hidden="true" /> <span>live</span>
  </button>
);

const FilterForm = ({ filter, services }: { filter: TraceFilter; services: readonly string[] }) => (
  <form id="filter" class="filter" method="get" action="/monitor/">
    <label class="grow">
      <span class="hidden">Search</span>
      <input
        type="search"
        name="q"
        value={filter.text ?? ""}
        placeholder="Order id, trace id, or any text of a span   ( / )"
        autocomplete="off"
        maxlength={200}
      />
    </label>
    <label>
      <span class="hidden">Service</span>
      <select name="service">
        <option value="">All services</option>
        {[...services].sort().map((service) => (
          <option value={service} selected={service === filter.service}>
            {service}
          </option>
        ))}
      </select>
    </label>
    <label class="tick">
      <input type="checkbox" name="error" value="true" checked={filter.errorsOnly} /> Only errors
    </label>
    <button type="submit">Show</button>
    {isFiltered(filter) && <a href="/monitor/">Clear</a>}
  </form>
);

const TraceTable = ({ page, isFiltered }: { page: TracePage; isFiltered: boolean }) => {
  const longestUs = Math.max(1, ...page.traces.map(({ startUs, endUs }) => endUs - startUs));
  return (
    <table class="traces">
      <thead>
        <tr>
          <th scope="col">
            Time <small>UTC</small>
          </th>
          <th scope="col">Began with</th>
          <th scope="col">Services</th>
          <th scope="col" class="number">
            Spans
          </th>
          <th scope="col" class="number">
            Duration
          </th>
          <th scope="col" class="track" />
        </tr>
      </thead>
      <tbody id="traces">
        {page.traces.map((trace) => (
          <TraceRow trace={trace} services={page.services} longestUs={longestUs} />
        ))}
        {page.traces.length === 0 && (
          <tr>
            <td colspan={6} class="empty">
              {isFiltered
                ? "No trace that is kept matches."
                : "No traces yet. Send a request through the gateway and it appears here a second later."}
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
};

const TraceRow = ({
  trace,
  services,
  longestUs,
}: {
  trace: TraceSummary;
  services: readonly string[];
  longestUs: number;
}) => {
  const tookUs = trace.endUs - trace.startUs;
  return (
    <tr id={`t-${trace.traceId}`} class={trace.errorCount > 0 ? "failed" : undefined}>
      <td class="time">
        <time datetime={isoTime(trace.startUs)} title={dateAndTime(trace.startUs)}>
          {timeOfDay(trace.startUs)}
        </time>
      </td>
      <td class="name">
        <a href={`/monitor/traces/${trace.traceId}`}>{trace.rootName}</a>
        {trace.errorCount > 0 && <span class="error">{counted(trace.errorCount, "error")}</span>}
      </td>
      <td>
        <div class="chips">
          {trace.services.map((service) => (
            <ServiceChip service={service} services={services} />
          ))}
        </div>
      </td>
      <td class="number">{trace.spanCount}</td>
      <td class="number">{duration(tookUs)}</td>
      <td class="track" aria-hidden="true">
        <i style={`width:${Math.max(0.5, (tookUs / longestUs) * 100).toFixed(1)}%`} />
      </td>
    </tr>
  );
};
