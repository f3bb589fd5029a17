/** Holds that every worker can be deployed as it stands, and how much it weighs. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT, WORKERS } from "#cli/workers.ts";
import { semaphore } from "#shared/cqrs/semaphore.ts";
import { runWrangler } from "./run-wrangler.ts";

/** Upper bounds of the gzip size in KiB; a worker's start slows down with its size, and 3 MiB is the least plan's limit. */
const GZIP_KIB_MAX: Readonly<Record<string, number>> = {
  "skerry-gateway": 280,
  "skerry-control": 400,
  "skerry-catalog": 300,
  "skerry-orders": 420,
  "skerry-inventory": 440,
  "skerry-payments": 440,
  "skerry-monitor": 120,
  // Nearly all of it is the viewer, which is a text and costs nothing to start.
  "skerry-docs": 560,
  "skerry-fake-payment-provider": 200,
};

const dryRun = (config: string): Promise<string> =>
  runWrangler(["deploy", "--dry-run", "--config", join(ROOT, config)]);

/** Each run is a process that bundles: two at a time are enough for a small machine. */
const inTurn = semaphore(2);

describe("wrangler deploy --dry-run", { concurrent: true, timeout: 180_000 }, () => {
  test("passes for what has the control worker's name at first, which weighs next to nothing", async () => {
    const said = await inTurn(() => dryRun("cli/placeholder/wrangler.toml"));
    expect(Number(said.match(/gzip: ([\d.]+) KiB/)?.[1]), said).toBeLessThan(2);
    expect(said).not.toContain("env.");
  });

  test.each(WORKERS)("passes for $name, within its bound", async ({ name, config }) => {
    const said = await inTurn(() => dryRun(config));
    const gzipKib = Number(said.match(/gzip: ([\d.]+) KiB/)?.[1]);
    console.log(`${name}: ${gzipKib} KiB gzip, at most ${GZIP_KIB_MAX[name]}`);
    expect(gzipKib, said).toBeGreaterThan(0);
    // What only local runs have is not deployed; the secrets are no plain variables.
    expect(said).not.toMatch(/env\.(PAYMENT_PROVIDER|NATS_URL|CONTROL_ADMIN_TOKEN|CONTROL_KEYS|CONFIG_KEYS)/);
    expect(gzipKib, `${name} in KiB`).toBeLessThanOrEqual(GZIP_KIB_MAX[name] ?? 0);
  });
});
