/** Gateway → service beside a bare pass-through worker → the same service, all in one workerd. */
import { CONTROL, GATEWAY } from "#cli/workers.ts";
import type { BenchGround } from "./bench-system.ts";
import type { Figure } from "./figure.ts";
import { httpLoad } from "./http-load.ts";
import { inTurns } from "./in-turns.ts";
import { putProduct } from "./shop-set-up.ts";

const AIM = 0.8;
const CONNECTIONS = 16;
const OK = "bench-ok";

/** A gateway whose every service is the one that costs nothing. */
const gatewayBefore = (service: string) => ({
  name: "bench-gateway",
  like: GATEWAY,
  options: {
    serviceBindings: {
      CATALOG: service,
      ORDERS: service,
      INVENTORY: service,
      PAYMENTS: service,
      MONITOR: "skerry-monitor",
      CONTROL,
    },
    kvNamespaces: ["SNAPSHOTS"],
    bindings: { SKERRY_PROFILE: "default" },
  },
});

const passThroughTo = (service: string) => ({
  name: `bench-pass-through-${service}`,
  like: "pass-through",
  options: { serviceBindings: { SERVICE: service } },
});

export const measureGateway = async (ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  const nats = await ground.startNats();
  const system = await ground.startSystem({
    natsUrl: nats.url,
    beside: [
      { name: OK, like: "ok", options: {} },
      gatewayBefore(OK),
      passThroughTo(OK),
      passThroughTo("skerry-catalog"),
    ],
  });
  const compare = async (gateway: string, service: string, path: string) => {
    const load = async (worker: string) =>
      httpLoad({
        url: await system.url(worker),
        requests: [{ method: "GET", path }],
        expectedStatus: 200,
        connections: CONNECTIONS,
      });
    const turns = quick
      ? { pairs: 4, sliceMs: 500, warmUpMs: 1_000 }
      : { pairs: 12, sliceMs: 1_000, warmUpMs: 3_000 };
    const bare = `bench-pass-through-${service}`;
    return inTurns({ ours: await load(gateway), bare: await load(bare), ...turns });
  };
  try {
    const path = "/catalog/v1/products/MUG";
    await putProduct(await system.url(GATEWAY), "MUG");
    const unit = "requests/s";
    return [
      {
        name: 'gateway → "ok"',
        unit,
        aim: AIM,
        ...(await compare("bench-gateway", OK, path)),
      },
      {
        name: "gateway → a product of the catalog",
        unit,
        aim: AIM,
        ...(await compare(GATEWAY, "skerry-catalog", path)),
      },
    ];
  } finally {
    await system.close();
    await nats.stop();
  }
};
