/** `npx skerry key …`: keys by which clients show a route who they are. */
import { Command } from "commander";
import { newApiKey } from "#shared/identity/api-key.ts";
import { isScope } from "#shared/identity/caller.ts";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { answer, lines, type Session, withJson } from "./session.ts";

interface NewOptions {
  readonly owner?: string;
  readonly scope: readonly string[];
  readonly json?: boolean;
}

export const keyCommands = ({ terminal }: Session): Command => {
  const key = new Command("key").summary("API keys of clients");
  key.description("Makes API keys. It asks nobody: what is printed is to be put where it belongs.");

  withJson(key.command("new <id>"))
    .summary("make a key and print it, this once, and its entry for the configuration")
    .description(
      "Makes an API key. The key is for its owner, and nobody can find it again; the entry goes under authentication.apiKeys.keys of a policy.",
    )
    .option("--owner <name>", "who calls by it; the id when absent")
    .option(
      "--scope <scope>",
      "what it allows; may be repeated",
      (scope: string, all: string[]) => [...all, scopeOf(scope)],
      [],
    )
    .action(async (id: string, { owner, scope, json }: NewOptions) => {
      const made = await newApiKey(id).catch((error: unknown) => {
        if (error instanceof RangeError) throw new CliFailure(error.message, EXIT.usage);
        throw error;
      });
      const entry = {
        [id]: {
          hash: made.hash,
          ...(owner !== undefined && { owner }),
          ...(scope.length > 0 && { scopes: scope }),
        },
      };
      const text = [
        made.key,
        "",
        "The entry, under authentication.apiKeys.keys of a policy:",
        JSON.stringify(entry, null, 2),
      ];
      answer(terminal, json ? { json } : {}, {
        json: { key: made.key, entry },
        text: lines(text.join("\n")),
      });
    });
  return key;
};

/** @throws CliFailure with exit code 2 */
const scopeOf = (text: string): string => {
  if (isScope(text)) return text;
  throw new CliFailure(
    `cannot use --scope "${text}": expected visible ASCII without quotation marks and backslashes`,
    EXIT.usage,
  );
};
