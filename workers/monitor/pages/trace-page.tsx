/** One trace as a waterfall: spans nested by parent, on a common time axis, each opening to its details. */
import type { Waterfall, WaterfallRow } from "../waterfall.ts";
import { counted, dateAndTime, duration, isoTime } from "./format.ts";
import { Layout } from "./layout.tsx";
import { ServiceChip, serviceColour } from "./service-chip.tsx";
import { SpanDetails } from "./span-details.tsx";
import { TRACE_SCRIPT } from "./trace-script.ts";

export interface TracePageProps {
  /** Of at least one span. */
  readonly waterfall: Waterfall;
  readonly services: readonly string[];
  readonly nonce: string;
}

export const tracePage = ({ waterfall, services, nonce }: TracePageProps) => {
  const { rows, startUs, durationUs } = waterfall;
  const root = rows[0];
  const errors = rows.filter(({ span }) => span.status === "error").length;
  const touched = [...new Set(rows.map(({ span }) => span.service))];
  return (
    <Layout title={`${root?.span.name} · Skerry monitor`} nonce={nonce} script={TRACE_SCRIPT}>
      <section class="summary">
        <h1>{root?.span.name}</h1>
        <p class="facts">
          <time datetime={isoTime(startUs)}>{dateAndTime(startUs)}</time>
          <span>
            <b>{duration(durationUs)}</b>
          </span>
          <span>{counted(rows.length, "span")}</span>
          {errors > 0 && <span class="error">{counted(errors, "error")}</span>}
          <code title="Trace id">{root?.span.traceId}</code>
          <a href={`/monitor/api/traces/${root?.span.traceId}`}>JSON</a>
        </p>
        <p class="legend">
          {touched.map((service) => (
            <ServiceChip service={service} services={services} />
          ))}
        </p>
      </section>
      <Axis durationUs={durationUs} />
      <ol id="spans" class="spans" aria-label="Spans, nested by parent">
        {rows.map((row) => (
          <SpanRow row={row} totalUs={durationUs} services={services} />
        ))}
      </ol>
      <p class="hint">
        <kbd>↑</kbd> <kbd>↓</kbd> between spans, <kbd>Enter</kbd> opens one, <kbd>e</kbd> goes to the next
        error, <kbd>Esc</kbd> closes all.
      </p>
    </Layout>
  );
};

const TICKS = 5;

const Axis = ({ durationUs }: { durationUs: number }) => (
  <div class="axis" aria-hidden="true">
    <span>Span</span>
    <div>
      {Array.from({ length: TICKS }, (_, index) => (
        <span style={`left:${(index / (TICKS - 1)) * 100}%`}>
          {duration(Math.round((durationUs * index) / (TICKS - 1)))}
        </span>
      ))}
    </div>
  </div>
);

interface SpanRowProps {
  readonly row: WaterfallRow;
  readonly totalUs: number;
  readonly services: readonly string[];
}

const SpanRow = ({ row, totalUs, services }: SpanRowProps) => {
  const { span, depth } = row;
  const failed = span.status === "error";
  return (
    <li id={`s-${span.spanId}`} class={`${serviceColour(span.service, services)}${failed ? " failed" : ""}`}>
      <details>
        <summary aria-label={spoken(row)}>
          <span class="label" style={`--depth:${Math.min(depth, 24)}`}>
            <i class="dot" />
            <span class="span-name">{span.name}</span>
            {failed && <b class="mark">!</b>}
            {row.orphan && (
              <em
                class="orphan"
                title="Its parent has not come: it is still open, was not recorded, or was lost"
              >
                no parent
              </em>
            )}
            <small>
              {span.service}
              {span.kind !== "internal" && span.kind !== "unspecified" && ` · ${span.kind}`}
            </small>
          </span>
          <Bar row={row} totalUs={totalUs} />
        </summary>
        <SpanDetails row={row} />
      </details>
    </li>
  );
};

/** Everything that the row shows by place, colour and length, in words. */
const spoken = ({ span, depth, orphan, startOffsetUs, durationUs }: WaterfallRow): string =>
  [
    `Level ${depth + 1}`,
    span.name,
    `${span.service}, ${span.kind}`,
    `begins at ${duration(startOffsetUs)}`,
    `takes ${duration(durationUs)}`,
    ...(span.status === "error" ? ["failed"] : []),
    ...(orphan ? ["its parent is missing"] : []),
  ].join(", ");

const Bar = ({ row, totalUs }: { row: WaterfallRow; totalUs: number }) => {
  const { span, startOffsetUs, durationUs, shiftUs } = row;
  const percent = (us: number) => (totalUs > 0 ? Math.min(100, Math.max(0, (us / totalUs) * 100)) : 0);
  const left = percent(startOffsetUs);
  const width = Math.min(100 - left, percent(durationUs));
  const labelSide = left + width > 82 ? (left > 18 ? "before" : "inside") : "after";
  return (
    <span class="lane">
      <span class="bar-of" style={`left:${left.toFixed(3)}%;width:${width.toFixed(3)}%`} />
      {span.detail.events.map(({ name, atUs }) => (
        <i
          class="event"
          title={name}
          style={`left:${percent(atUs + shiftUs - (span.startUs + shiftUs - startOffsetUs)).toFixed(3)}%`}
        />
      ))}
      <span
        class={`took ${labelSide}`}
        style={
          labelSide === "before"
            ? `right:${(100 - left).toFixed(3)}%`
            : `left:${(labelSide === "inside" ? left : left + width).toFixed(3)}%`
        }
      >
        {duration(durationUs)}
      </span>
    </span>
  );
};
