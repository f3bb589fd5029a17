/** `npx skerry subscription …`: how far processes are, and to pause, resume and replay them. */
import { Command } from "commander";
import type { Subscription } from "#shared/cqrs/subscription-routes.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { tellSilent } from "./ask-services.ts";
import { answer, lines, type Session, tableOn, withJson } from "./session.ts";
import { type FoundSubscription, subscriptionClient } from "./subscription-client.ts";
import { replayFrom } from "./subscription-from.ts";
import { followReplay } from "./subscription-progress.ts";

interface ServiceOptions {
  readonly service?: string;
  readonly json?: boolean;
}

const HEADER = ["service", "subscription", "follows", "floor", "behind", "waiting", "parked", "is"];

const rowOf = ({ service, subscription }: FoundSubscription): string[] => {
  const { name, source, floor, lag, waiting, parked } = subscription;
  const behind = `${lag.commits ?? "?"} commits, ${lag.seconds.toFixed(1)} s`;
  return [service, name, source, `${floor}`, behind, `${waiting}`, `${parked}`, stateOf(subscription)];
};

const stateOf = ({ paused, failure, following }: Subscription): string => {
  if (paused !== undefined) return `paused since ${paused}`;
  if (failure !== undefined) return `stopped: ${failure}`;
  return following ? "following" : "not started yet";
};

const forService = (command: Command): Command =>
  withJson(command).option(
    "--service <name>",
    "whose subscription; needed where several have one of this name",
  );

export const subscriptionCommands = (session: Session): Command => {
  const { terminal } = session;
  const asking = subscriptionClient(session);
  const subscription = new Command("subscription").summary("what processes follow: pause, resume, replay");
  subscription.description(
    "Shows how far processes are in the logs that they follow, and pauses, resumes and replays them.",
  );

  forService(subscription.command("list"))
    .summary("list the subscriptions, how far each is, and why it does not go on")
    .action(async (options: ServiceOptions) => {
      const asked = await asking.list(options.service);
      const { found } = asked;
      const items = found.map(({ service, subscription }) => ({ service, ...subscription }));
      answer(terminal, options, { json: { items }, text: tableOn(terminal, HEADER, found.map(rowOf)) });
      tellSilent(asked);
    });

  forService(subscription.command("pause <name>"))
    .summary("have it stand, also after a restart, until it is resumed")
    .action(async (name: string, options: ServiceOptions) => {
      const found = await asking.find(name, options.service);
      const now = await asking.pause(found);
      const text = lines(`${found.service} ${name}: paused at position ${now.floor}`);
      answer(terminal, options, { json: { service: found.service, ...now }, text });
    });

  forService(subscription.command("resume <name>"))
    .summary("have a paused one go on")
    .action(async (name: string, options: ServiceOptions) => {
      const found = await asking.find(name, options.service);
      const now = await asking.resume(found);
      const text = lines(`${found.service} ${name}: goes on after position ${now.floor}`);
      answer(terminal, options, { json: { service: found.service, ...now }, text });
    });

  forService(subscription.command("replay <name>"))
    .summary("handle events again although they were, and show how far that is")
    .description(
      "Handles everything from there again. It goes on in the service, also when this command is ended.",
    )
    .requiredOption("--from <place>", 'a position, "beginning", a time, or so long ago: 90s, 15m, 2h, 3d')
    .action(async (name: string, options: ServiceOptions & { readonly from: string }) => {
      const from = replayFrom(options.from, systemClock);
      const found = await asking.find(name, options.service);
      const { floor } = found.subscription;
      if (typeof from === "number" && from > Math.max(floor, 1)) {
        throw new CliFailure(
          `cannot replay from ${from}: "${name}" has handled nothing beyond ${floor}, expected a position up to that`,
          EXIT.usage,
        );
      }
      const begun = await asking.replayFrom(found, from);
      const ask = async () => (await asking.find(name, found.service)).subscription;
      const now = await followReplay({ name, begun, ask, out: terminal.err, sleep });
      const end =
        now.paused === undefined ? `replayed up to position ${now.floor}` : "will replay when it is resumed";
      answer(terminal, options, {
        json: { service: found.service, ...now },
        text: lines(`${found.service} ${name}: ${end}, ${now.waiting} waiting, ${now.parked} parked`),
      });
    });
  return subscription;
};
