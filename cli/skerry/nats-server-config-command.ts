/** `npx skerry nats server-config`: the configuration of one NATS server, alone or of a cluster. */
import { Command } from "commander";
import { allPermissions } from "#nats/permissions.ts";
import { type Durability, natsServerConfig, serverConfigText } from "#nats/server-config.ts";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { answer, type Session, withJson } from "./session.ts";

interface Options {
  readonly hosts: string;
  readonly host?: string;
  readonly durability: string;
  readonly storeDir: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly websocket?: boolean;
  readonly users: boolean;
  readonly before210?: boolean;
  readonly json?: boolean;
}

export const natsServerConfigCommand = ({ terminal }: Session): Command =>
  withJson(new Command("server-config"))
    .summary("print a nats-server.conf")
    .description(
      "Prints the configuration of one server. Passwords are variables of the server's environment.",
    )
    .option("--hosts <names>", "all servers of the cluster: nats-1,nats-2,nats-3", "nats-1")
    .option("--host <name>", "which of them this is for; the first one when absent")
    .option("--durability <when>", "to disk always before the acknowledgement, or at an interval", "interval")
    .option("--store-dir <path>", "the log's folder", "/data/jetstream")
    .option("--tls-cert <path>", "the server's certificate")
    .option("--tls-key <path>", "its key")
    .option("--tls-ca <path>", "the authority by which servers of the cluster know each other")
    .option("--websocket", "listen for WebSockets too")
    .option("--no-users", "let everybody do everything")
    .option("--before-210", "for a server before 2.10")
    .action((options: Options) => {
      const settings = configOf(options);
      answer(terminal, options, { json: settings, text: serverConfigText(settings) });
    });

const configOf = (options: Options) => {
  const hosts = options.hosts.split(",");
  const { host = hosts[0] ?? "", storeDir, tlsCert: cert, tlsKey: key, tlsCa: ca } = options;
  if ((cert === undefined) !== (key === undefined))
    throw new CliFailure("cannot use one of --tls-cert and --tls-key: expected both", EXIT.usage);
  try {
    return natsServerConfig({
      hosts,
      host,
      storeDir,
      durability: durabilityOf(options.durability),
      before210: options.before210 ?? false,
      webSocket: options.websocket ?? false,
      tls: cert !== undefined && key !== undefined ? { cert, key, ca } : undefined,
      users: options.users ? allPermissions() : undefined,
    });
  } catch (error) {
    if (error instanceof RangeError) throw new CliFailure(error.message, EXIT.usage);
    throw error;
  }
};

const durabilityOf = (text: string): Durability => {
  if (text === "always" || text === "interval") return text;
  throw new CliFailure(`cannot use --durability "${text}": expected always or interval`, EXIT.usage);
};
