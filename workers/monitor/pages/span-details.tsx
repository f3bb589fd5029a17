/** What a span says about itself: times, attributes, events, links. */
import type { Attributes, SpanEvent } from "../stored-span.ts";
import type { WaterfallRow } from "../waterfall.ts";
import { counted, dateAndTime, duration } from "./format.ts";

export const SpanDetails = ({ row }: { row: WaterfallRow }) => {
  const { span, startOffsetUs, durationUs, childCount, shiftUs } = row;
  const { statusMessage, attributes, events, links, resource } = span.detail;
  return (
    <div class="details">
      {statusMessage && <p class="message">{statusMessage}</p>}
      <p class="facts">
        <span>
          {dateAndTime(span.startUs)}, {duration(startOffsetUs)} into the trace
        </span>
        <span>takes {duration(durationUs)}</span>
        <span>{counted(childCount, "child").replace("childs", "children")}</span>
        {shiftUs >= 2_000 && (
          <span>drawn {duration(shiftUs)} later than its clock says: it cannot begin before its parent</span>
        )}
        <code>{span.spanId}</code>
        {span.parentSpanId && (
          <span>
            child of{" "}
            <a href={`#s-${span.parentSpanId}`}>
              <code>{span.parentSpanId}</code>
            </a>
          </span>
        )}
      </p>
      <div class="columns">
        <Table title="Attributes" attributes={attributes} />
        <Table title="Resource" attributes={resource} />
      </div>
      {events.length > 0 && (
        <section>
          <h2>Events</h2>
          {events.map((event) => (
            <Event event={event} startUs={span.startUs} />
          ))}
        </section>
      )}
      {links.length > 0 && (
        <section>
          <h2>Links</h2>
          <ul>
            {links.map(({ traceId, spanId }) => (
              <li>
                <a href={`/monitor/traces/${traceId}#s-${spanId}`}>
                  <code>
                    {traceId} / {spanId}
                  </code>
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
};

const Event = ({ event, startUs }: { event: SpanEvent; startUs: number }) => (
  <div class="happened">
    <p>
      <b>{event.name}</b> {duration(event.atUs - startUs)} after the span began
    </p>
    <Table attributes={event.attributes} />
  </div>
);

const Table = ({ title, attributes }: { title?: string; attributes: Attributes }) => {
  const entries = Object.entries(attributes);
  if (entries.length === 0) return null;
  return (
    <section>
      {title && <h2>{title}</h2>}
      <table class="attributes">
        <tbody>
          {entries.map(([key, value]) => (
            <tr>
              <th scope="row">{key}</th>
              <td class={typeof value}>{String(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
};
