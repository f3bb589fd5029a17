/** `npx skerry config keys`: the keys by which one service opens its secrets. */
import type { Command } from "commander";
import { SealingError, serviceKeys } from "#shared/config/sealing.ts";
import { EXIT } from "../control-call.ts";
import { controlSecretsFile, readControlSecrets } from "../control-secrets.ts";
import { dataFolderOf } from "../data-folder.ts";
import { CliFailure } from "../failure.ts";
import { answer, type Session, withJson } from "./session.ts";

export const configKeys = (config: Command, { terminal }: Session): void => {
  withJson(config.command("keys <service>"))
    .summary("print the CONFIG_KEYS of a service, derived from CONTROL_KEYS; asks nobody")
    .description(
      "Prints the keys that a service has as its secret CONFIG_KEYS, derived from the variable CONTROL_KEYS or from the data folder's control.json.",
    )
    .action(async (service: string, options: { readonly json?: boolean }) => {
      const folder = dataFolderOf(terminal.env);
      const keys = terminal.env.CONTROL_KEYS ?? readControlSecrets(folder)?.keys;
      if (keys === undefined) {
        throw new CliFailure(
          `cannot derive the keys of "${service}": expected CONTROL_KEYS, or the file "${controlSecretsFile(folder)}" of a local start`,
          EXIT.notFound,
        );
      }
      const derived = await serviceKeys(keys, service).catch((error: unknown) => {
        if (error instanceof SealingError) throw new CliFailure(error.message);
        throw error;
      });
      answer(terminal, options, { json: { service, keys: derived }, text: `${derived}\n` });
    });
};
