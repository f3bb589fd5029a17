/** `npx skerry nats`: what stands on a NATS server, what is to stand there, and how such a server is configured. */
import { Command } from "commander";
import { natsPermissionsCommand } from "./nats-permissions-command.ts";
import { natsApplyCommand, natsPlanCommand } from "./nats-plan-commands.ts";
import { natsServerConfigCommand } from "./nats-server-config-command.ts";
import type { Session } from "./session.ts";

export const natsCommands = (session: Session): Command =>
  new Command("nats")
    .summary("plan and make what the log needs of a NATS server")
    .description("Says and makes what the log needs of a NATS server: its streams, configuration and users.")
    .addCommand(natsPlanCommand(session))
    .addCommand(natsApplyCommand(session))
    .addCommand(natsServerConfigCommand(session))
    .addCommand(natsPermissionsCommand(session));
