/** Answers looks as the control plane does that never changes: every service of the shop at the binding of its name. */
import type { Changes, Look } from "#shared/control/changes.ts";

const EPOCH = 1;

const SERVICES = ["catalog", "orders", "inventory", "payments"];

const everything = (): Changes => ({
  epoch: EPOCH,
  changedAt: Date.now(),
  whole: true,
  services: SERVICES.map((service) => ({
    service,
    epoch: EPOCH,
    instances: [
      { id: service, version: "1.0.0", state: "up", binding: service.toUpperCase(), weight: 1, metadata: {} },
    ],
  })),
});

export default {
  async fetch(request) {
    if (new URL(request.url).pathname !== "/internal/changes") return new Response(null, { status: 200 });
    const { epoch } = await request.json<Look>();
    return epoch < EPOCH ? Response.json(everything()) : new Response(null, { status: 204 });
  },
} satisfies ExportedHandler;
