/** Answers looks as a control plane does that never changes: one configuration of the gateway, one registry. */
import type { Look } from "#shared/control/changes.ts";

interface Env {
  /** Of the gateway, as JSON. */
  readonly CONFIG: string;
  /** Names of services, as JSON; each is bound under its name in capitals. */
  readonly SERVICES: string;
}

const EPOCH = 1;

export default {
  async fetch(request, { CONFIG, SERVICES }) {
    if (new URL(request.url).pathname !== "/internal/changes") return new Response(null, { status: 200 });
    const { epoch } = await request.json<Look>();
    if (epoch >= EPOCH) return new Response(null, { status: 204 });
    return Response.json({
      epoch: EPOCH,
      changedAt: Date.now(),
      whole: true,
      config: { service: "gateway", profile: "default", epoch: EPOCH, value: JSON.parse(CONFIG), flags: {} },
      services: (JSON.parse(SERVICES) as string[]).map((service) => ({
        service,
        epoch: EPOCH,
        instances: [
          {
            id: service,
            version: "1.0.0",
            state: "up",
            binding: service.toUpperCase(),
            weight: 1,
            metadata: {},
          },
        ],
      })),
    });
  },
} satisfies ExportedHandler<Env>;
