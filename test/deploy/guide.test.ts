/** Holds that the commands of the deployment guide fit the workers, and come in an order in which they can succeed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";
import { FAKE_PAYMENT_PROVIDER, ROOT, WORKERS } from "#cli/workers.ts";

const commands = readFileSync(join(ROOT, "docs/guides/deploy.md"), "utf8")
  .split("\n")
  .map((line) => line.match(/^ {3}(\S*npx wrangler .*|\S* ?npm run .*)$/)?.[1] ?? "")
  .filter((line) => line !== "");

const DEPLOYED = WORKERS.filter(({ name }) => name !== FAKE_PAYMENT_PROVIDER).map(({ name, config }) => {
  const { services, d1_databases, secrets } = unstable_readConfig({ config: join(ROOT, config) });
  return {
    name,
    config,
    bound: (services ?? []).map(({ service }: { service: string }) => service),
    databases: d1_databases.map((database: { database_name?: string }) => database.database_name),
    secrets: (secrets?.required ?? []) as string[],
  };
});

/** Where the command stands; it must stand there once. */
const placeOf = (start: string): number => {
  const found = commands.flatMap((command, place) => (`${command} `.startsWith(`${start} `) ? [place] : []));
  expect(found, start).toHaveLength(1);
  return found[0] ?? -1;
};

const deployOf = ({ config }: { config: string }): number => placeOf(`npx wrangler deploy -c ${config}`);

test.each(DEPLOYED)("$name is deployed after every worker that it is bound to", (worker) => {
  for (const service of worker.bound) {
    const needed = DEPLOYED.find(({ name }) => name === service);
    expect(needed, `${service}, which ${worker.name} is bound to, is deployed`).toBeDefined();
    if (needed) expect(deployOf(needed), service).toBeLessThan(deployOf(worker));
  }
});

test.each(DEPLOYED)("the databases of $name are made, then migrated, before it is deployed", (worker) => {
  for (const database of worker.databases) {
    const made = placeOf(`npx wrangler d1 create ${database}`);
    const migrated = placeOf(`npx wrangler d1 migrations apply DB --remote -c ${worker.config}`);
    expect(made).toBeLessThan(migrated);
    expect(migrated).toBeLessThan(deployOf(worker));
  }
});

test.each(DEPLOYED)("$name is deployed with a file of secrets exactly when it requires some", (worker) => {
  expect(commands[deployOf(worker)]?.includes("--secrets-file")).toBe(worker.secrets.length > 0);
});

test("the streams are made before anything that follows them is deployed", () => {
  const streams = commands.findIndex((command) => command.endsWith("npm run streams"));
  expect(streams).toBeGreaterThanOrEqual(0);
  for (const worker of DEPLOYED) expect(streams).toBeLessThan(deployOf(worker));
});
