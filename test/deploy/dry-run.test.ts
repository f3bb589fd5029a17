/** Holds that every worker can be deployed as it stands, and how much it weighs. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { ROOT, WORKERS } from "#cli/workers.ts";
import { semaphore } from "#shared/cqrs/semaphore.ts";

const execute = promisify(execFile);

/** Upper bounds of the gzip size in KiB; a worker's start slows down with its size, and 3 MiB is the least plan's limit. */
const GZIP_KIB_MAX: Readonly<Record<string, number>> = {
  "skerry-gateway": 120,
  "skerry-catalog": 300,
  "skerry-orders": 400,
  "skerry-inventory": 400,
  "skerry-payments": 400,
  "skerry-monitor": 120,
  "skerry-fake-payment-provider": 200,
};

const dryRun = async (config: string): Promise<string> => {
  const { stdout, stderr } = await execute(
    join(ROOT, "node_modules", ".bin", "wrangler"),
    ["deploy", "--dry-run", "--config", join(ROOT, config)],
    {
      cwd: ROOT,
      env: { ...process.env, CI: "true", NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" },
    },
  );
  return stdout + stderr;
};

/** Each run is a process that bundles: two at a time are enough for a small machine. */
const inTurn = semaphore(2);

describe("wrangler deploy --dry-run", { concurrent: true, timeout: 180_000 }, () => {
  test.each(WORKERS)("passes for $name, within its bound", async ({ name, config }) => {
    const said = await inTurn(() => dryRun(config));
    const gzipKib = Number(said.match(/gzip: ([\d.]+) KiB/)?.[1]);
    console.log(`${name}: ${gzipKib} KiB gzip, at most ${GZIP_KIB_MAX[name]}`);
    expect(gzipKib, said).toBeGreaterThan(0);
    expect(gzipKib, `${name} in KiB`).toBeLessThanOrEqual(GZIP_KIB_MAX[name] ?? 0);
  });
});
