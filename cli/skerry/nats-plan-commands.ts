/** `npx skerry nats plan` and `apply`: what has to change on the server of NATS_URL, and its making. */
import type { NatsConnection } from "@nats-io/nats-core";
import { Command } from "commander";
import { natsServerAddress, openConnection } from "#nats/open-connection.ts";
import { applyPlan, type PlanOptions, planServer, type ServerPlan } from "#nats/plan-server.ts";
import { readDurability } from "#nats/server-durability.ts";
import { DEPLOY_USER, inboxPrefix } from "#nats/subjects.ts";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { natsPlanText, type ShownPlan, summaryOf } from "./nats-plan-text.ts";
import { answer, type Session, wholeNumber, withJson } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** Changes wait; not 2, which is what a mistyped command line ends with. */
const PENDING = 7;

const CONNECT_MS = 5_000;
/** What one stream can have on different servers. */
const REPLICAS_MOST = 5;

interface Options {
  readonly replicas?: string;
  readonly oneWay?: boolean;
  readonly json?: boolean;
}

const withPlanOptions = (command: Command): Command =>
  withJson(command)
    .option("--replicas <number>", "copies of each stream: 1 on a laptop, 3 in production; or NATS_REPLICAS")
    .option("--one-way", "also what the server never takes back: deny_delete, deny_purge");

export const natsPlanCommand = ({ terminal }: Session): Command =>
  withPlanOptions(new Command("plan"))
    .summary("what has to change on the server of NATS_URL")
    .description(
      `Compares the server of NATS_URL with what the services declare. Exit code ${EXIT.changed} when anything is refused.`,
    )
    .option("--detailed-exitcode", `exit code ${PENDING} when changes wait to be applied`)
    .action(async (options: Options & { readonly detailedExitcode?: boolean }) => {
      const plan = await onServer(terminal, (connection) => shownPlan(terminal, connection, options));
      answer(terminal, options, { json: plan, text: natsPlanText(plan) });
      refuseRefusals(plan);
      if (options.detailedExitcode && isPending(plan)) throw new CliFailure(summaryOf(plan), PENDING);
    });

export const natsApplyCommand = ({ terminal }: Session): Command =>
  withPlanOptions(new Command("apply"))
    .summary("make what the plan says, after showing it")
    .description(
      `Shows the plan and makes it, all or nothing: exit code ${EXIT.changed} when anything is refused.`,
    )
    .option("-y, --yes", "do not ask")
    .action(async (options: Options & { readonly yes?: boolean }) => {
      const plan = await onServer(terminal, async (connection) => {
        const planned = await shownPlan(terminal, connection, options);
        if (!options.json) terminal.out.write(natsPlanText(planned));
        refuseRefusals(planned);
        if (!isPending(planned)) return planned;
        if (!options.yes) await ask(terminal);
        await applyPlan(connection, planned, planOptions(terminal, options));
        return planned;
      });
      answer(terminal, options, { json: plan, text: isPending(plan) ? "done\n" : "" });
    });

const ask = async ({ err, readLine }: Terminal): Promise<void> => {
  err.write("Make these changes? (yes) ");
  if ((await readLine()).trim() !== "yes")
    throw new CliFailure("nothing was changed: expected the answer yes, or --yes");
};

const planOptions = ({ env }: Terminal, { replicas, oneWay = false }: Options): PlanOptions => {
  const [what, text] =
    replicas === undefined ? ["NATS_REPLICAS", env.NATS_REPLICAS] : ["--replicas", replicas];
  return { oneWay, replicas: text ? wholeNumber(what, text, 1, REPLICAS_MOST) : undefined };
};

const shownPlan = async (
  terminal: Terminal,
  connection: NatsConnection,
  options: Options,
): Promise<ShownPlan> => {
  const plan = await planServer(connection, planOptions(terminal, options));
  const { NATS_MONITOR_URL } = terminal.env;
  if (!NATS_MONITOR_URL) return plan;
  return { ...plan, durability: await readDurability(NATS_MONITOR_URL, terminal.fetch) };
};

const isPending = ({ streams }: ServerPlan): boolean =>
  streams.some(({ does }) => does === "create" || does === "change");

const refuseRefusals = (plan: ServerPlan): void => {
  const refused = plan.streams.filter(({ does }) => does === "refuse").map(({ stream }) => stream);
  if (refused.length > 0) throw new CliFailure(`refused: ${refused.join(", ")}`, EXIT.changed);
};

/** @throws CliFailure that names the address without its credentials */
const onServer = async <T>(
  { env }: Terminal,
  work: (connection: NatsConnection) => Promise<T>,
): Promise<T> => {
  const { NATS_URL, NATS_CREDS, NATS_CA } = env;
  if (!NATS_URL)
    throw new CliFailure(
      "NATS_URL is not set: expected an address like nats://deploy:password@host:4222",
      EXIT.usage,
    );
  const { servers } = natsServerAddress(NATS_URL);
  const connection = await openConnection({
    servers: NATS_URL,
    creds: NATS_CREDS,
    ca: NATS_CA,
    inboxPrefix: inboxPrefix(DEPLOY_USER),
    name: "skerry nats",
    reconnect: false,
    timeout: CONNECT_MS,
  }).catch((error: unknown) => {
    throw new CliFailure(`cannot reach the NATS server "${servers}": ${reasonOf(error)}`, EXIT.unreachable);
  });
  try {
    return await work(connection);
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    const denied = /permissions violation/i.test(String(error));
    throw new CliFailure(
      `cannot do this on the NATS server "${servers}": ${reasonOf(error)}`,
      denied ? EXIT.notAllowed : EXIT.failed,
    );
  } finally {
    await connection.close();
  }
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
