/** `npx skerry projection …`: how far read models are, and building them anew while they are read. */
import { Command } from "commander";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { tellSilent } from "./ask-services.ts";
import { type FoundProjection, projectionClient } from "./projection-client.ts";
import { followRebuild } from "./projection-progress.ts";
import { answer, lines, type Session, tableOn, withJson } from "./session.ts";

interface ServiceOptions {
  readonly service?: string;
  readonly json?: boolean;
}

const HEADER = ["service", "projection", "version", "position", "behind", "parked", "is"];

const rowOf = ({ service, details }: FoundProjection): string[] => [
  service,
  details.projection,
  `${details.version}`,
  `${details.position ?? "?"}`,
  // Without the log nobody knows how many, nor since when.
  details.behindCommits === undefined
    ? "?"
    : `${details.behindCommits} commits, ${details.behindSeconds.toFixed(1)} s`,
  `${details.parked ?? 0}`,
  stateOf(details),
];

const stateOf = ({ failure, outdated, rebuild }: FoundProjection["details"]): string => {
  if (failure !== undefined) return `stopped: ${failure}`;
  const under = rebuild && rebuild.endedAt === undefined;
  const building = under ? `rebuilding (${rebuild.phase}, ${rebuild.position} of ${rebuild.target})` : "";
  const why = under && rebuild.failure !== undefined ? `, fails: ${rebuild.failure}` : "";
  const old = outdated ? `version ${outdated.version}${outdated.stands ? ", stands" : ""}` : "";
  return [old, `${building}${why}`].filter(Boolean).join("; ") || "following";
};

const forService = (command: Command): Command =>
  withJson(command).option(
    "--service <name>",
    "whose projection; needed where several have one of this name",
  );

export const projectionCommands = (session: Session): Command => {
  const { terminal } = session;
  const asking = projectionClient(session);
  const projection = new Command("projection").summary("read models, and building them anew");
  projection.description(
    "Shows how far the read models of services are, and builds them anew beside the standing ones.",
  );

  forService(projection.command("list"))
    .summary("list the read models, how far each is, and why it does not go on")
    .action(async (options: ServiceOptions) => {
      const asked = await asking.list(options.service);
      const { found } = asked;
      const items = found.map(({ service, details }) => ({ service, ...details }));
      answer(terminal, options, { json: { items }, text: tableOn(terminal, HEADER, found.map(rowOf)) });
      tellSilent(asked);
    });

  forService(projection.command("rebuild <name>"))
    .summary("build a read model anew; it is read as it is until the new one takes its place")
    .description(
      "Fills a copy from the log's beginning, and shows how far it is. It goes on in the service, also when this command is ended.",
    )
    .option("--keep", "keep the old tables, as <table>__old, until `drop-old`")
    .action(async (name: string, options: ServiceOptions & { readonly keep?: boolean }) => {
      const found = await asking.find(name, options.service);
      const { id } = await asking.rebuild(found, { keep: options.keep ?? false });
      const ask = () => asking.progress(found, id);
      const ended = await followRebuild({ name, ask, out: terminal.err, clock: systemClock, sleep });
      answer(terminal, options, {
        json: ended,
        text: lines(`${found.service} ${name}: rebuilt, up to position ${ended.target}`),
      });
    });

  forService(projection.command("cancel <name>"))
    .summary("give up the rebuild that is under way; the standing read model stays")
    .action(async (name: string, options: ServiceOptions) => {
      const found = await asking.find(name, options.service);
      const { rebuild } = found.details;
      if (!rebuild || rebuild.endedAt !== undefined) {
        throw new CliFailure(`cannot cancel: no rebuild of "${name}" is under way`, EXIT.notFound);
      }
      const cancelled = await asking.cancel(found, rebuild.id);
      answer(terminal, options, {
        json: cancelled,
        text: lines(`${found.service} ${name}: the rebuild is given up`),
      });
    });

  forService(projection.command("drop-old <name>"))
    .summary("drop the tables that a rebuild kept")
    .action(async (name: string, options: ServiceOptions) => {
      const found = await asking.find(name, options.service);
      await asking.dropOld(found);
      answer(terminal, options, {
        json: { service: found.service, projection: name, dropped: true },
        text: lines(`${found.service} ${name}: the old tables are gone`),
      });
    });
  return projection;
};
