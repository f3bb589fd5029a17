/** `npm run check`: everything that reading the code can tell, without running the system. */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { sayOnTerminal as say } from "./progress.ts";
import { runProgram } from "./run-program.ts";
import { ROOT, WORKERS } from "./workers.ts";

interface Check {
  readonly title: string;
  /** Resolves with whether it holds; what does not hold is said on the terminal. */
  run(): Promise<boolean>;
}

const program = (title: string, name: string, args: readonly string[]): Check => ({
  title,
  run: async () => (await runProgram(name, args)) === 0,
});

/** Services whose tables stand in a `schema.ts`. */
const servicesWithSchema = (): string[] =>
  WORKERS.flatMap(({ migrations }) => migrations?.split("/").slice(1) ?? []).filter((service) =>
    existsSync(join(ROOT, "workers", service, "schema.ts")),
  );

const migrationNames = async (folder: string): Promise<string[]> =>
  existsSync(folder) ? (await readdir(folder)).filter((name) => name.endsWith(".sql")) : [];

/** Lets drizzle-kit write what is missing into a copy: when it writes something, the migrations lag behind the schema. */
const migrationsInStep = async (service: string): Promise<boolean> => {
  const folder = join(ROOT, "migrations", service);
  // drizzle-kit takes its folders relative to the project.
  const scratch = join(ROOT, ".skerry");
  await mkdir(scratch, { recursive: true });
  const copy = await mkdtemp(join(scratch, `check-${service}-`));
  try {
    if (existsSync(folder)) await cp(folder, copy, { recursive: true });
    const generated = await runProgram("drizzle-kit", ["generate", "--config", "drizzle.config.ts"], {
      SERVICE: service,
      MIGRATIONS: relative(ROOT, copy),
    });
    const [before, after] = [await migrationNames(folder), await migrationNames(copy)];
    if (generated === 0 && before.length === after.length) return true;
    say(`  migrations/${service} is not in step with workers/${service}/schema.ts: run`);
    say(`  SERVICE=${service} npx drizzle-kit generate --name <purpose>`);
    return false;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
};

const CHECKS: readonly Check[] = [
  program("format and lint (biome)", "biome", ["ci", "."]),
  program("types (tsc)", "tsc", ["--noEmit"]),
  ...servicesWithSchema().map((service) => ({
    title: `migrations of ${service} (drizzle-kit)`,
    run: () => migrationsInStep(service),
  })),
  program("import rules (vitest)", "vitest", ["run", "test/rules", "--reporter=dot"]),
];

/** Runs all checks, so that one run shows everything that is wrong. */
export const main = async (): Promise<number> => {
  const failed: string[] = [];
  for (const check of CHECKS) {
    say(`Checking ${check.title}`);
    if (!(await check.run())) failed.push(check.title);
  }
  say(failed.length === 0 ? "Every check holds" : `Does not hold: ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
};
