/** The same workers under wrangler's own harness: what `wrangler dev` builds from the same files works as well. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { applyMigrations } from "#cli/apply-migrations.ts";
import { controlClient } from "#cli/control-client.ts";
import { newIdentityKey } from "#cli/identity-keys.ts";
import { registerWorkers } from "#cli/register-workers.ts";
import { workerSecrets } from "#cli/worker-secrets.ts";
import { ROOT, WORKERS } from "#cli/workers.ts";
import { applyStreams } from "#nats/apply-streams.ts";
import { newKey } from "#shared/config/sealing.ts";
import { publicJwks } from "#shared/identity/identity-keys.ts";
import { eventually, expectStatus, type Shop, shopOf } from "../e2e/shop.ts";
import { startNats, type TestNats } from "../setup/nats.ts";

let nats: TestNats;
let harness: TestHarness;
let shop: Shop;

beforeAll(async () => {
  nats = await startNats();
  await applyStreams({ natsUrl: nats.url });
  const workers = WORKERS;
  const token = "skerry_of-the-harness";
  const key = newIdentityKey();
  const identity = { privateJwks: [key], publicJwks: publicJwks([key]) } as const;
  const secrets = await workerSecrets({ token, keys: newKey("k1") }, identity);
  harness = createTestHarness({
    root: ROOT,
    workers: workers.map(({ name, config, localServices = {} }) => ({
      configPath: join(ROOT, config),
      secrets: { NATS_URL: nats.url, ...secrets[name] },
      bindingOverrides: localServices,
    })),
  });
  const { url } = await harness.listen();
  for (const { name, migrations } of workers) {
    if (!migrations) continue;
    const { DB } = await harness.getWorker<{ DB: Parameters<typeof applyMigrations>[0] }>(name).getEnv();
    await applyMigrations(DB, join(ROOT, migrations));
  }
  await registerWorkers(controlClient({ url: url.origin, token }));
  shop = shopOf({ url: url.origin, services: {} });
});
afterAll(async () => {
  await harness?.close();
  await nats?.dispose();
});

test("every worker is alive", async () => {
  for (const { name } of WORKERS) {
    const answer = await harness.getWorker(name).fetch("http://localhost/healthz");
    expect([name, answer.status]).toEqual([name, 200]);
    await answer.body?.cancel();
  }
});

test("the system becomes ready and an order goes through", async () => {
  await eventually(async () => expectStatus(await shop.request("/readyz"), 200));
  await shop.offer("tea", { amount: 5, pieces: 10 });
  expect(await shop.placeAndSettle([{ sku: "tea", quantity: 1 }])).toMatchObject({ status: "confirmed" });
});
