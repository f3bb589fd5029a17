/** `npx skerry flags`: the feature flags that a service has. */
import { Command } from "commander";
import { flagTableSchema } from "#shared/config/flags/flag.ts";
import type { JsonValue } from "#shared/control/changes.ts";
import { CliFailure } from "../failure.ts";
import { withProfile } from "./config-reading.ts";
import { answer, type Session, tableOn } from "./session.ts";

const HEADER = ["flag", "enabled", "serves", "rules", "description"];

export const flagsCommand = ({ terminal, client }: Session): Command =>
  withProfile(new Command("flags").argument("<service>"))
    .summary("list the feature flags of a service, as merged")
    .description(
      "Lists the feature flags that documents set for a service; a flag of the code alone is not among them.",
    )
    .action(async (service: string, options: { readonly profile: string; readonly json?: boolean }) => {
      const { value } = await client().effective({ service, profile: options.profile });
      const flags = flagsIn(value.flags);
      const rows = Object.entries(flags).map(([key, { enabled, serve, rules, off, description = "" }]) => [
        key,
        enabled ? "yes" : "no",
        enabled ? JSON.stringify(serve) : JSON.stringify(off),
        `${rules.length}`,
        description,
      ]);
      answer(terminal, options, { json: flags, text: tableOn(terminal, HEADER, rows) });
    });

const flagsIn = (held: JsonValue | undefined) => {
  const read = flagTableSchema.safeParse(held ?? {});
  if (read.success) return read.data;
  throw new CliFailure("cannot read the feature flags: expected those of a control plane of this version");
};
