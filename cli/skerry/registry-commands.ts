/** `npx skerry registry …`: which instances there are, and what an operator says of them. */
import { Command } from "commander";
import { stringify } from "yaml";
import { EXIT } from "../control-call.ts";
import type { ShownService } from "../control-client.ts";
import { CliFailure } from "../failure.ts";
import { answer, lines, type Session, tableOn, wholeNumber, withJson } from "./session.ts";

interface JsonOption {
  readonly json?: boolean;
}

interface RegisterOptions extends JsonOption {
  readonly version: string;
  readonly binding?: string;
  readonly url?: string;
  readonly zone?: string;
  readonly weight?: string;
  readonly ttl?: string;
  readonly metadata: readonly string[];
}

const HEADER = ["service", "instance", "version", "state", "where", "weight", "zone"];

/** What an operator may say; the other states are found out by probing. */
const SETTABLE = ["up", "out_of_service"] as const;

const HOUR_SECONDS = 60 * 60;

const rowsOf = ({ service, instances }: ShownService): string[][] =>
  instances.map(({ id, version, state, binding, url, weight, zone }) => [
    service,
    id,
    version,
    state,
    binding ? `binding ${binding}` : (url ?? ""),
    `${weight}`,
    zone ?? "",
  ]);

export const registryCommands = (session: Session): Command => {
  const registry = new Command("registry").summary("services and their instances");
  registry.description("Shows the instances of services, and says which of them get work.");
  addReading(registry, session);
  addChanges(registry, session);
  return registry;
};

const addReading = (registry: Command, { terminal, client }: Session): void => {
  withJson(registry.command("list [service]"))
    .summary("list the instances of all services, or of one")
    .action(async (service: string | undefined, options: JsonOption) => {
      const items = service === undefined ? await client().services() : [await client().service(service)];
      answer(terminal, options, { json: { items }, text: tableOn(terminal, HEADER, items.flatMap(rowsOf)) });
    });

  withJson(registry.command("show <service> <instance>"))
    .summary("print all that is known of an instance")
    .action(async (service: string, id: string, options: JsonOption) => {
      const found = await client().instance(service, id);
      answer(terminal, options, { json: found, text: lines(stringify(found)) });
    });
};

const addChanges = (registry: Command, { terminal, client }: Session): void => {
  withJson(registry.command("register <service> <instance>"))
    .summary("register an instance, or renew it")
    .requiredOption("--version <semver>", "its major is the v{major} of its paths")
    .option("--binding <name>", "the service binding of the gateway to it")
    .option("--url <url>", "its base address, when there is no binding")
    .option("--zone <name>", "where it stands")
    .option("--weight <number>", "its share of the work among its peers; 0 gets none")
    .option("--ttl <seconds>", "its lease, renewed by registering again; needed with --url, and only there")
    .option("--metadata <name=value>", "may be repeated", (pair: string, all: string[]) => [...all, pair], [])
    .action(async (service: string, id: string, options: RegisterOptions) => {
      await client().registerInstance(service, id, registrationOf(options));
      answer(terminal, options, {
        json: { service, id, registered: true },
        text: lines(`${service}: ${id} is registered`),
      });
    });

  withJson(registry.command("register-workers"))
    .summary("register the services of this project, and declare their configurations' schemas")
    .action(async (options: JsonOption) => {
      const { registerWorkers } = await import("../register-workers.ts");
      const registered = await registerWorkers(client());
      const text = registered.map(({ service, id }) => `${service}: ${id} is registered\n`).join("");
      answer(terminal, options, { json: { registered }, text });
    });

  withJson(registry.command("state <service> <instance> <state>"))
    .summary("say up or out_of_service; an operator's word stays across renewals")
    .action(async (service: string, id: string, state: string, options: JsonOption) => {
      const known = SETTABLE.find((settable) => settable === state);
      if (!known) {
        throw new CliFailure(
          `cannot set the state "${state}": expected one of ${SETTABLE.join(", ")}`,
          EXIT.usage,
        );
      }
      await client().setState(service, id, known);
      answer(terminal, options, {
        json: { service, id, state },
        text: lines(`${service}: ${id} is ${state}`),
      });
    });

  withJson(registry.command("drain <service> <instance>"))
    .summary("give it no new work, and remove it when what is in flight has had its time")
    .option("--seconds <number>", "how long it keeps what it has")
    .action(async (service: string, id: string, options: JsonOption & { seconds?: string }) => {
      const seconds =
        options.seconds === undefined
          ? undefined
          : wholeNumber("--seconds", options.seconds, 0, HOUR_SECONDS);
      await client().drain(service, id, seconds);
      answer(terminal, options, {
        json: { service, id, state: "draining" },
        text: lines(`${service}: ${id} gets no new work and is removed after its drain`),
      });
    });
};

const registrationOf = ({ version, binding, url, zone, weight, ttl, metadata }: RegisterOptions) => {
  if ((binding === undefined) === (url === undefined)) {
    throw new CliFailure("cannot register: expected either --binding or --url", EXIT.usage);
  }
  if ((url === undefined) !== (ttl === undefined)) {
    const expected =
      url === undefined ? "no --ttl with --binding" : "--ttl with --url: how long its lease lasts";
    throw new CliFailure(`cannot register: expected ${expected}`, EXIT.usage);
  }
  return {
    version,
    ...(binding !== undefined && { binding }),
    ...(url !== undefined && { url }),
    ...(zone !== undefined && { zone }),
    ...(weight !== undefined && { weight: wholeNumber("--weight", weight, 0, 1_000) }),
    ...(ttl !== undefined && { ttlSeconds: wholeNumber("--ttl", ttl, 5, HOUR_SECONDS) }),
    ...(metadata.length > 0 && { metadata: Object.fromEntries(metadata.map(pairOf)) }),
  };
};

const pairOf = (text: string): [string, string] => {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new CliFailure(`cannot use --metadata "${text}": expected name=value`, EXIT.usage);
};
