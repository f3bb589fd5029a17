/** `npx skerry config …`: documents read, changed, compared, moved. */
import { Command } from "commander";
import { configChanges } from "./config-changes.ts";
import { configFiles } from "./config-files.ts";
import { configKeys } from "./config-keys.ts";
import { configReading } from "./config-reading.ts";
import type { Session } from "./session.ts";

export const configCommands = (session: Session): Command => {
  const config = new Command("config").summary("documents of settings and feature flags");
  config.description("Reads and changes what services are configured by, while they run.");
  for (const add of [configReading, configChanges, configFiles, configKeys]) add(config, session);
  return config;
};
