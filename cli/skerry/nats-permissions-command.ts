/** `npx skerry nats permissions`: what each user of the NATS server may do. */
import { Command } from "commander";
import { allPermissions } from "#nats/permissions.ts";
import { serverConfigText, userSettings } from "#nats/server-config.ts";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { answer, type Session, withJson } from "./session.ts";

export const natsPermissionsCommand = ({ terminal }: Session): Command =>
  withJson(new Command("permissions").argument("[user]"))
    .summary("print the users of the NATS server and what they may do")
    .description(
      "Prints the permissions of one user, a service for one, or of all: as the server reads them.",
    )
    .action((user: string | undefined, options: { readonly json?: boolean }) => {
      const all = allPermissions();
      const wanted = user === undefined ? all : all.filter((one) => one.user === user);
      if (wanted.length === 0) {
        const names = all.map((one) => one.user).join(", ");
        throw new CliFailure(`there is no user "${user}": expected one of ${names}`, EXIT.notFound);
      }
      const text = serverConfigText({ users: wanted.map(userSettings) });
      answer(terminal, options, { json: { users: wanted }, text });
    });
