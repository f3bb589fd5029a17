/** What a trace's address shows when the trace is not kept. */
import { Layout } from "./layout.tsx";

export const traceNotFoundPage = ({ traceId, nonce }: { traceId: string; nonce: string }) => (
  <Layout title="No such trace · Skerry monitor" nonce={nonce}>
    <div class="notice">
      <h1>This trace is not here</h1>
      <p>
        No span of <code>{traceId.slice(0, 64)}</code> is kept. Spans arrive about a second after they end,
        only sampled traces are recorded, and the oldest traces make room for new ones.
      </p>
      <p>
        <a href={`/monitor/traces/${encodeURIComponent(traceId)}`}>Look again</a> or go to{" "}
        <a href="/monitor/">all traces</a>.
      </p>
    </div>
  </Layout>
);
