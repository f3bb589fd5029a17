/** Holds that wrangler itself applies the migrations, as a deployment does, and agrees with `npm start` about them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT, WORKERS } from "#cli/workers.ts";
import { runWrangler } from "../deploy/run-wrangler.ts";
import { temporaryFolder } from "../setup/temporary-folder.ts";

const withDatabase = WORKERS.flatMap(({ name, config, migrations }) =>
  migrations === undefined ? [] : [{ name, config, migrations }],
);

test.each(withDatabase)(
  "wrangler applies every migration of $name, once",
  { timeout: 60_000 },
  async ({ config, migrations }) => {
    const folder = await temporaryFolder("d1");
    const where = ["DB", "--local", "--persist-to", folder.path, "--config", join(ROOT, config)];
    const apply = () => runWrangler(["d1", "migrations", "apply", ...where]);
    const first = await apply();
    for (const file of readdirSync(join(ROOT, migrations)).filter((name) => name.endsWith(".sql"))) {
      expect(first).toMatch(new RegExp(`${file}\\s*│\\s*✅`));
    }
    expect(await apply()).toContain("No migrations to apply");
    await folder.remove();
  },
);
