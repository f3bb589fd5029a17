/** `npx skerry secret …`: how the secrets in documents are kept. */
import { Command } from "commander";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { answer, lines, type Session, withJson } from "./session.ts";

export const secretCommands = ({ terminal, client }: Session): Command => {
  const secret = new Command("secret").summary("how the secrets in documents are kept");
  secret.description("Changes the key that seals secrets. It needs a token of the role admin.");

  withJson(secret.command("rotate"))
    .summary("seal all secrets anew by the first of CONTROL_KEYS")
    .description(
      "Seals the secrets of all revisions anew by the first of CONTROL_KEYS, so that the others can be thrown away; exit code 1 when some cannot be opened.",
    )
    .action(async (options: { readonly json?: boolean }) => {
      const { key, resealed, failed } = await client().rotateSecrets();
      const revisions = resealed === 1 ? "1 revision was" : `${resealed} revisions were`;
      answer(terminal, options, {
        json: { key, resealed, failed },
        text: lines(`${revisions} sealed anew by the key "${key}"`),
      });
      if (failed.length === 0) return;
      const names = failed.map(({ service, profile, revision }) => `${service}/${profile} (${revision})`);
      throw new CliFailure(
        `cannot open the secrets of ${names.join(", ")}: expected their key among CONTROL_KEYS`,
        EXIT.failed,
      );
    });
  return secret;
};
