/** `npx skerry rollout …`: candidates that some isolates or keys have already. */
import { Command } from "commander";
import type { Rollout } from "../control-client.ts";
import { percentageOf } from "./config-changes.ts";
import { withProfile } from "./config-reading.ts";
import { answer, lines, type Session, tableOn, withJson } from "./session.ts";

interface RolloutOptions {
  readonly profile: string;
  readonly json?: boolean;
}

const HEADER = ["document", "share", "by", "next", "candidate 5xx", "stable 5xx"];

const failed = ({ answers, failures }: Rollout["candidate"]): string => `${failures} of ${answers}`;

const rowOf = ({ service, profile, percentage, by, nextAt, candidate, stable }: Rollout): string[] => [
  `${service}/${profile}`,
  `${percentage} %`,
  by,
  nextAt ?? "by hand",
  failed(candidate),
  failed(stable),
];

export const rolloutCommands = ({ terminal, client }: Session): Command => {
  const rollout = new Command("rollout").summary("candidates that only some have yet");
  rollout.description("Shows the roll-outs under way, goes on with them by hand, and ends them.");

  withJson(rollout.command("list"))
    .summary("list the roll-outs under way")
    .action(async (options: { readonly json?: boolean }) => {
      const items = await client().rollouts();
      answer(terminal, options, {
        json: { items },
        text: tableOn(terminal, HEADER, items.map(rowOf)),
      });
    });

  withProfile(rollout.command("set <service> <percentage>"))
    .summary("set the candidate's share, where it stays; 100 makes it the document")
    .action(async (service: string, text: string, options: RolloutOptions) => {
      const percentage = percentageOf(text);
      const name = { service, profile: options.profile };
      await client().setRollout(name, percentage);
      const said = percentage === 100 ? "is the document now" : `stays at ${percentage} %`;
      answer(terminal, options, {
        json: { ...name, percentage },
        text: lines(`${service}/${options.profile}: the candidate ${said}`),
      });
    });

  withProfile(rollout.command("abort <service>"))
    .summary("withdraw the candidate; the document stays as it is")
    .action(async (service: string, options: RolloutOptions) => {
      const name = { service, profile: options.profile };
      await client().abortRollout(name);
      answer(terminal, options, {
        json: { ...name, aborted: true },
        text: lines(`${service}/${options.profile}: the candidate is withdrawn`),
      });
    });
  return rollout;
};
