/** `npx skerry parked …`: what processes could not handle; to look at it, to try it again, to give it up. */
import { Command } from "commander";
import type { ReplayedEvents } from "#shared/cqrs/parking-replays.ts";
import { LIMITS } from "#shared/limits.ts";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { tellSilent } from "./ask-services.ts";
import { answer, lines, type Session, tableOn, wholeNumber, withJson } from "./session.ts";
import { type FoundParked, type FoundSubscription, subscriptionClient } from "./subscription-client.ts";

interface ParkedOptions {
  readonly service?: string;
  readonly json?: boolean;
}

const HEADER = ["service", "process", "id", "type", "aggregate", "attempts", "parked at", "reason"];
const LIST_MAX = 10_000;
/** Events of one request of a replay of many. */
const TOGETHER = 50;

const forService = (command: Command, what: string): Command =>
  withJson(command).option("--service <name>", what);

export const parkedCommands = (session: Session): Command => {
  const { terminal } = session;
  const asking = subscriptionClient(session);
  const parked = new Command("parked").summary("events that processes could not handle");
  parked.description("Shows what processes of services have parked, tries it again, or gives it up.");

  forService(parked.command("list"), "of one service")
    .summary("list what is parked, with the reason")
    .option("--limit <number>", "at most so many", "100")
    .action(async (options: ParkedOptions & { readonly limit: string }) => {
      const most = wholeNumber("--limit", options.limit, 1, LIST_MAX);
      const asked = await asking.parked(options.service, most);
      const items = asked.found.map(({ service, event }) => ({ service, ...event }));
      const rows = items.map((event) => [
        event.service,
        event.process,
        event.id,
        event.type,
        event.aggregateId,
        `${event.attempts}`,
        event.parkedAt,
        `${event.reason.code}: ${event.reason.detail}`,
      ]);
      answer(terminal, options, { json: { items }, text: tableOn(terminal, HEADER, rows) });
      tellSilent(asked);
    });

  forService(parked.command("show <id>"), "whose process has parked it")
    .summary("show one event whole, with the id of its trace")
    .action(async (id: string, options: ParkedOptions) => {
      const found = await asking.show(id, options.service);
      const json = { service: found.service, ...found.event };
      answer(terminal, options, { json, text: lines(describe(found)) });
    });

  forService(parked.command("replay [id]"), "whose process has parked it")
    .summary("handle a parked event once more, or all of a subscription")
    .option("--subscription <name>", "all that it has parked, in the place of one event")
    .option("--type <type>", "with --subscription: events of this type only")
    .action(async (id: string | undefined, options: ReplayOptions) => {
      const { subscription, type, service } = options;
      if ((id === undefined) === (subscription === undefined) || (type !== undefined && id !== undefined)) {
        throw new CliFailure(
          "cannot replay: expected one event's id, or --subscription and perhaps --type",
          EXIT.usage,
        );
      }
      if (id !== undefined) {
        const found = await asking.show(id, service);
        await asking.replay(found);
        const text = lines(`${found.service} ${found.event.process}: "${id}" is handled`);
        return answer(terminal, options, { json: { id, replayed: 1 }, text });
      }
      const found = await asking.find(subscription ?? "", service);
      const done = await replayAll(found, type);
      const tell = `${done.replayed} handled, ${done.failed} failed and stay parked`;
      const why = done.failures.map((failure) => `\n  ${failure.id}: ${failure.detail}`).join("");
      answer(terminal, options, {
        json: done,
        text: lines(`${found.service} ${subscription}: ${tell}${why}`),
      });
    });

  forService(parked.command("drop <id>"), "whose process has parked it")
    .summary("give an event up: it is never handled, and later ones go on")
    .requiredOption("--reason <text>", "why; it stands on a span of the service's traces")
    .action(async (id: string, options: ParkedOptions & { readonly reason: string }) => {
      const { reason } = options;
      if (reason === "" || reason.length > LIMITS.dropReasonCharacters) {
        throw new CliFailure(
          `cannot drop "${id}" with a reason of ${reason.length} characters: expected 1 to ${LIMITS.dropReasonCharacters}`,
          EXIT.usage,
        );
      }
      const found = await asking.show(id, options.service);
      await asking.drop(found, reason);
      const text = lines(`${found.service} ${found.event.process}: "${id}" is dropped`);
      answer(terminal, options, { json: { service: found.service, id, dropped: true }, text });
    });

  const replayAll = async (of: FoundSubscription, type: string | undefined): Promise<ReplayedEvents> => {
    const all: ReplayedEvents = { replayed: 0, failed: 0, failures: [] };
    for (let after: ReplayedEvents["next"]; ; ) {
      const some = await asking.replaySome(of, { type, limit: TOGETHER, after });
      all.replayed += some.replayed;
      all.failed += some.failed;
      all.failures.push(...some.failures);
      const { next } = some;
      if (next) terminal.err.write(`${all.replayed} handled, ${all.failed} failed so far\n`);
      else return all;
      after = next;
    }
  };
  return parked;
};

interface ReplayOptions extends ParkedOptions {
  readonly subscription?: string;
  readonly type?: string;
}

const describe = ({ service, event }: FoundParked): string =>
  [
    `${event.type} ${event.id}`,
    `  parked by   ${service} ${event.process}, ${event.parkedAt}, after ${event.attempts} attempts`,
    `  reason      ${event.reason.code}: ${event.reason.detail}`,
    `  from        ${event.source}, position ${event.position}, aggregate ${event.aggregateId}`,
    `  in order of ${event.key}`,
    `  trace       ${event.traceId ?? "none"}`,
    JSON.stringify(event.event, null, 2),
  ].join("\n");
