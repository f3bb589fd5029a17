/** All metric series as one table: what was counted, and the quantiles of what was measured. */
import { type MetricValue, quantile, type StoredSeries } from "../metric-point.ts";
import type { Attributes } from "../stored-span.ts";
import { counted, dateAndTime, isoTime, measured, timeOfDay } from "./format.ts";
import { Layout } from "./layout.tsx";
import { ServiceChip } from "./service-chip.tsx";

export interface MetricsPageProps {
  readonly series: readonly StoredSeries[];
  /** In the order of appearance: it chooses their colours. */
  readonly services: readonly string[];
  readonly nonce: string;
}

export const metricsPage = ({ series, services, nonce }: MetricsPageProps) => (
  <Layout title="Metrics · Skerry monitor" nonce={nonce}>
    <h1 class="hidden">Metrics</h1>
    <p class="count">
      {counted(series.length, "series", "series")} kept, each summed up since it was first seen
    </p>
    <table class="metrics">
      <thead>
        <tr>
          <th scope="col">Metric</th>
          <th scope="col">Service</th>
          <th scope="col">Attributes</th>
          {["Count", "Sum", "p50", "p95", "p99"].map((title) => (
            <th scope="col" class="number">
              {title}
            </th>
          ))}
          <th scope="col">
            Last seen <small>UTC</small>
          </th>
        </tr>
      </thead>
      <tbody>
        {series.map((one) => (
          <SeriesRow series={one} services={services} />
        ))}
        {series.length === 0 && (
          <tr>
            <td colspan={9} class="empty">
              No metrics yet. They come about a second after something was measured.
            </td>
          </tr>
        )}
      </tbody>
    </table>
  </Layout>
);

const SeriesRow = ({ series, services }: { series: StoredSeries; services: readonly string[] }) => (
  <tr class={series.value.kind === "gauge" || series.value.kind === "sum" ? "single" : undefined}>
    <td class="name">
      {breakable(series.metric)}
      {series.unit && <small> {series.unit}</small>}
    </td>
    <td>
      <ServiceChip service={series.service} services={services} />
    </td>
    <td class="pairs">{attributesText(series.attributes)}</td>
    {numbersOf(series.value).map((number) => (
      <td class="number">{number === undefined ? "" : measured(number)}</td>
    ))}
    <td class="time">
      <time datetime={isoTime(series.lastSeenMs * 1_000)} title={dateAndTime(series.lastSeenMs * 1_000)}>
        {timeOfDay(series.lastSeenMs * 1_000)}
      </time>
    </td>
  </tr>
);

/** A name that is too long for its column goes on in the next line behind a dot. */
const breakable = (name: string) =>
  name.split(/(?<=\.)/).map((part) => (
    <>
      {part}
      <wbr />
    </>
  ));

const attributesText = (attributes: Attributes): string =>
  Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

/** Count, sum, p50, p95, p99; a gauge's last value stands where sums do. */
const numbersOf = (value: MetricValue): (number | undefined)[] => {
  const none = [undefined, undefined, undefined];
  if (value.kind === "gauge") return [undefined, value.last, ...none];
  if (value.kind === "sum") return [undefined, value.sum, ...none];
  return [value.count, value.sum, ...[0.5, 0.95, 0.99].map((share) => quantile(value, share))];
};
