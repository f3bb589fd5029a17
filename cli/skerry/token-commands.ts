/** `npx skerry token …`: who may call the control plane. */
import { Command } from "commander";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { answer, lines, type Session, tableOn, withJson } from "./session.ts";

interface CreateOptions {
  readonly role: string;
  readonly ttl: string;
  readonly service: readonly string[];
  readonly json?: boolean;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** "30d", "12h", "90m", "60s". @throws CliFailure with exit code 2 */
export const secondsOf = (text: string): number => {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const factor = SECONDS[unit];
  if (count !== undefined && factor !== undefined) return Number(count) * factor;
  throw new CliFailure(`cannot use --ttl "${text}": expected a time like 30d, 12h or 90m`, EXIT.usage);
};

export const tokenCommands = ({ terminal, client }: Session): Command => {
  const token = new Command("token").summary("bearer tokens of the control plane");
  token.description("Makes, lists and revokes tokens. It needs a token of the role admin.");

  withJson(token.command("create <name>"))
    .summary("make a token and print it, this once")
    .requiredOption("--role <role>", "read, write or admin")
    .option("--ttl <time>", "how long it lives", "30d")
    .option(
      "--service <name>",
      "a service that it may touch; may be repeated",
      (name: string, all: string[]) => [...all, name],
      [],
    )
    .action(async (name: string, { role, ttl, service, json }: CreateOptions) => {
      const wanted = {
        name,
        role,
        ttlSeconds: secondsOf(ttl),
        ...(service.length > 0 && { services: service }),
      };
      const made = await client().makeToken(wanted);
      answer(terminal, json ? { json } : {}, { json: made, text: lines(made.token) });
    });

  withJson(token.command("list"))
    .summary("list the tokens, without what they are secret by")
    .action(async (options: { readonly json?: boolean }) => {
      const items = await client().tokens();
      const rows = items.map(({ id, name, role, services, expiresAt }) => [
        id,
        name,
        role,
        services?.join(", ") ?? "all",
        expiresAt,
      ]);
      const text = tableOn(terminal, ["id", "name", "role", "services", "expires"], rows);
      answer(terminal, options, { json: { items }, text });
    });

  withJson(token.command("revoke <id>"))
    .summary("remove a token; it is unknown from now on")
    .action(async (id: string, options: { readonly json?: boolean }) => {
      await client().revokeToken(id);
      answer(terminal, options, { json: { id, revoked: true }, text: lines(`${id} is revoked`) });
    });
  return token;
};
