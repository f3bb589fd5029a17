/** A worker that answers with what its isolate knows: the same link and configuration that every service has. */
import { env } from "cloudflare:workers";
import * as z from "zod";
import { coldSnapshot } from "#shared/control/cold-snapshot.ts";
import { controlLink } from "#shared/control/link.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { workersKv } from "#shared/storage/workers-kv.ts";
import { type ControlEnv, serviceControl } from "#workers/service-control.ts";

interface ProbeEnv extends ControlEnv {
  readonly SNAPSHOTS: KVNamespace;
  /** "looking", as services do, or "snapshots": the KeyValue store alone. */
  readonly KNOWS_BY: string;
}

const bindings = env as unknown as ProbeEnv;
const schema = z.strictObject({ mark: z.int().default(0), secret: z.string().optional() });

const bySnapshotsAlone = () => {
  const snapshots = workersKv(bindings.SNAPSHOTS);
  const read = coldSnapshot({ snapshots, service: "probe", profile: "default" });
  const link = controlLink({
    service: "probe",
    profile: "default",
    isolate: crypto.randomUUID(),
    look: () => read(),
    snapshots,
    clock: systemClock,
  });
  return { link, config: link.config(schema) };
};

let probe: ReturnType<typeof bySnapshotsAlone> | undefined;

export default {
  async fetch(_request, _bindings, context) {
    probe ??=
      bindings.KNOWS_BY === "snapshots" ? bySnapshotsAlone() : serviceControl("probe", schema, bindings);
    const { link, config } = probe;
    const waitUntil = (work: Promise<unknown>) => context.waitUntil(work);
    if (!link.loaded()) await link.load(waitUntil);
    const { mark, secret } = config.get();
    link.lookSoon(waitUntil);
    return Response.json({ mark, secretLength: secret?.length, epoch: link.epoch() });
  },
} satisfies ExportedHandler;
