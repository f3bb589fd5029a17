/** Settings of drizzle-kit for one service, named by SERVICE: `SERVICE=orders npx drizzle-kit generate --name add_column`. */
import { defineConfig } from "drizzle-kit";

const service = process.env.SERVICE;
if (!service) throw new Error('cannot choose a schema: expected SERVICE, for example "orders"');

export default defineConfig({
  dialect: "sqlite",
  schema: `./workers/${service}/schema.ts`,
  // `npm run check` has it write into a copy, to see whether anything is missing.
  out: process.env.MIGRATIONS ?? `./migrations/${service}`,
});
