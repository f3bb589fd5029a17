/** Holds that the commands of the deployment guide fit the workers, and come in an order in which they can succeed. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";
import { runSkerry } from "#cli/skerry/run-skerry.ts";
import { CONTROL, FAKE_PAYMENT_PROVIDER, GATEWAY, ROOT, WORKERS } from "#cli/workers.ts";
import { temporaryFolder } from "../setup/temporary-folder.ts";

const guide = readFileSync(join(ROOT, "docs/guides/deploy.md"), "utf8");

const commands = guide
  .split("\n")
  .map((line) => line.match(/^ {3}(\S*npx wrangler .*|\S* ?npm run .*|(?:npx skerry|sed) .*)$/)?.[1] ?? "")
  .filter((line) => line !== "");

const DEPLOYED = WORKERS.filter(({ name }) => name !== FAKE_PAYMENT_PROVIDER).map(({ name, config }) => {
  const { services, d1_databases, kv_namespaces, secrets } = unstable_readConfig({
    config: join(ROOT, config),
  });
  return {
    name,
    config,
    bound: (services ?? []).map(({ service }: { service: string }) => service),
    databases: d1_databases.map((database: { database_name?: string }) => database.database_name),
    namespaces: kv_namespaces.map(({ id = "" }: { id?: string }) => id),
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

const PLACEHOLDER = "cli/placeholder/wrangler.toml";

/** Where there is a worker of the name for the first time: the placeholder has that of the control worker before it. */
const existsFrom = (name: string): number => {
  if (name === CONTROL) return deployOf({ config: PLACEHOLDER });
  const worker = DEPLOYED.find((deployed) => deployed.name === name);
  expect(worker, `${name} is deployed`).toBeDefined();
  return worker ? deployOf(worker) : Number.POSITIVE_INFINITY;
};

test.each(DEPLOYED)("$name is deployed when every worker that it is bound to exists", (worker) => {
  for (const service of worker.bound) expect(existsFrom(service), service).toBeLessThan(deployOf(worker));
});

test("what has the control worker's name at first is bound to nothing, and is replaced before the gateway comes", () => {
  const { name, services } = unstable_readConfig({ config: join(ROOT, PLACEHOLDER) });
  expect({ name, services: services ?? [] }).toEqual({ name: CONTROL, services: [] });
  const [control, gateway] = [CONTROL, GATEWAY].map((of) => DEPLOYED.find((worker) => worker.name === of));
  const places = [{ config: PLACEHOLDER }, control, gateway].map((worker) =>
    worker ? deployOf(worker) : -1,
  );
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

test("the ids of the KV namespaces come by one command into every file that names them, before anything is deployed", async () => {
  const naming = DEPLOYED.filter(({ namespaces }) => namespaces.length > 0);
  expect(naming.length).toBeGreaterThan(1);
  const written = placeOf("sed -i.bak");
  const names = [...new Set(naming.flatMap(({ namespaces }) => namespaces))];
  for (const name of names) expect(placeOf(`npx wrangler kv namespace create ${name}`)).toBeLessThan(written);
  for (const worker of DEPLOYED) expect(written).toBeLessThan(deployOf(worker));
  const folder = await temporaryFolder("kv-id");
  for (const { config } of DEPLOYED) {
    await mkdir(dirname(join(folder.path, config)), { recursive: true });
    await copyFile(join(ROOT, config), join(folder.path, config));
  }
  const idOf = (name: string) => Buffer.from(name.padEnd(16)).toString("hex");
  const command = (commands[written] ?? "").replaceAll(/<id of (\w+)>/g, (_, name) => idOf(`skerry-${name}`));
  execFileSync("sh", ["-c", command], { cwd: folder.path });
  for (const { config, namespaces } of naming) {
    const { kv_namespaces } = unstable_readConfig({ config: join(folder.path, config) });
    expect(kv_namespaces.map(({ id }: { id?: string }) => id)).toEqual(namespaces.map(idOf));
  }
  await folder.remove();
});

test("every service and the gateway are given their keys after they are deployed; services are registered after the gateway is", () => {
  const gateway = DEPLOYED.find(({ name }) => name === GATEWAY);
  const registered = placeOf("npx skerry registry register-workers");
  expect(deployOf(gateway ?? { config: "" })).toBeLessThan(registered);
  for (const { name, registers, config } of WORKERS) {
    const service = name === GATEWAY ? "gateway" : registers?.service;
    if (service === undefined) continue;
    const keys = placeOf(`npx skerry config keys ${service}`);
    expect(commands[keys]).toBe(
      `npx skerry config keys ${service} | npx wrangler secret put CONFIG_KEYS -c ${config}`,
    );
    expect(deployOf({ config })).toBeLessThan(keys);
  }
});

test.each(DEPLOYED)(
  "$name has all the secrets that it requires in its file, each as one text",
  async (worker) => {
    const { secrets } = worker;
    const file = commands[deployOf(worker)]?.match(/--secrets-file (\S+)$/)?.[1];
    if (secrets.length === 0 || worker.name === CONTROL) return;
    const lines = guide.split("\n").map((line) => line.trim());
    const functionLine = lines.find((line) => line.startsWith("secrets() {")) ?? "";
    const [writing = "", ...more] = lines.filter(
      (line) => line.startsWith("secrets ") && line.endsWith(`> ${file}`),
    );
    expect(more).toEqual([]);
    const env = Object.fromEntries(secrets.map((secret) => [secret, `{"of": "${secret}"}`]));
    const script = `${functionLine}\n${writing.replace(/ > .*/, "")}`;
    const written = execFileSync("sh", ["-c", script], { env: { PATH: process.env.PATH, ...env } });
    expect(JSON.parse(written.toString())).toEqual(env);
  },
);

test("every command of npx skerry in the guides is one that there is", async () => {
  const text = guide + readFileSync(join(ROOT, "docs/guides/add-a-service.md"), "utf8");
  const named = [...text.matchAll(/npx skerry ([a-z-]+(?: [a-z-]+)?)/g)].map(([, words = ""]) =>
    words.split(" "),
  );
  expect(named.length).toBeGreaterThan(5);
  for (const words of named) {
    let said = "";
    const write = (text: string) => {
      said += text;
    };
    const world = {
      out: { write },
      err: { write },
      env: {},
      cwd: ROOT,
      fetch,
      readInput: async () => "",
      readLine: async () => "",
    };
    const code = await runSkerry([...words, "--help"], world, []);
    expect({ words, code }).toEqual({ words, code: 0 });
    if (words.length > 1) expect(said).toContain(`Usage: skerry ${words.join(" ")}`);
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
