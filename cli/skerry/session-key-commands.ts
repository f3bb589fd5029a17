/** `npx skerry session-key …`: keys that seal sessions. */
import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { answer, lines, type Session, withJson } from "./session.ts";

/** What the session part of a policy takes as a key's id. */
const ID = /^[A-Za-z0-9_-]{1,32}$/;

/** Of AES-256. */
const KEY_BYTES = 32;

export const sessionKeyCommands = ({ terminal }: Session): Command => {
  const key = new Command("session-key").summary("keys that seal sessions");
  key.description(
    "Makes keys that seal sessions. It asks nobody: what is printed is to be put where it belongs.",
  );

  withJson(key.command("new <id>"))
    .summary("make a key and print its entry for the configuration")
    .description("Makes 32 random bytes. The entry goes into session.keys of a policy, its key as a secret.")
    .action((id: string, options: { readonly json?: boolean }) => {
      if (!ID.test(id)) {
        throw new CliFailure(
          `cannot use the id "${id}": expected 1 to 32 letters, digits, hyphens and underscores`,
          EXIT.usage,
        );
      }
      const entry = { id, key: { $secret: randomBytes(KEY_BYTES).toString("base64") } };
      answer(terminal, options, { json: entry, text: lines(JSON.stringify(entry, null, 2)) });
    });
  return key;
};
