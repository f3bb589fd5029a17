/** The commands that change one document: set, unset, rollback. */
import type { Command } from "commander";
import { diffOf } from "#shared/config/diff.ts";
import type { JsonObject, JsonValue } from "#shared/control/changes.ts";
import type { DocumentName, RolloutPlan } from "#workers/control/part.ts";
import { ControlRefusal, EXIT } from "../control-call.ts";
import type { ControlClient, TaggedDocument } from "../control-client.ts";
import { CliFailure } from "../failure.ts";
import { withProfile } from "./config-reading.ts";
import { withoutValueAt, withValueAt } from "./document-path.ts";
import { answer, lines, type Session, wholeNumber } from "./session.ts";
import { changeCell, typedValue } from "./shown-change.ts";
import { printable } from "./terminal.ts";

interface ChangeOptions {
  readonly profile: string;
  readonly reason?: string;
  readonly rollout?: string;
  readonly every?: string;
  readonly by?: string;
  readonly json?: boolean;
}

/** The document of this name is for all services, whatever they declare. */
const SHARED = "shared";

/** How far a candidate's rate of 5xx may be above the stable one's when nobody says otherwise. */
const ERROR_RATE_RISE = 0.05;

const withReason = (command: Command): Command =>
  withProfile(command).option("-r, --reason <text>", "why, for the history");

const withRollout = (command: Command): Command =>
  withReason(command)
    .option("--rollout <percentages>", "give it to so many first, then to all: 1,10,50")
    .option("--every <seconds>", "how long each share of the roll-out lasts (60)")
    .option("--by <what>", "what takes part in a roll-out: isolate (the default) or key");

export const configChanges = (config: Command, { terminal, client }: Session): void => {
  /** Nobody may have meant a service that nobody knows; and one may be configured before it is there. */
  const tellOfUnchecked = async (service: string): Promise<void> => {
    const declared = await client()
      .schema(service)
      .catch((error: unknown) => (error instanceof ControlRefusal ? error.code : undefined));
    if (declared !== "schema_not_found" || service === SHARED) return;
    terminal.err.write(
      printable(`no service "${service}" has declared what it can be set to: nothing was checked\n`),
    );
  };

  const publish = async (
    name: DocumentName,
    options: ChangeOptions,
    change: (content: JsonObject) => JsonObject,
  ): Promise<void> => {
    const rollout = rolloutPlan(options);
    const found = await documentOrNone(client(), name);
    const content = change(found?.content ?? {});
    const published = await client().publish(name, { content, reason: options.reason, rollout }, found?.etag);
    const changes = diffOf(found?.content ?? {}, published.content ?? {});
    const what = published.kind === "candidate" ? "is rolled out" : "is the document";
    if (!found) await tellOfUnchecked(name.service);
    answer(terminal, options, {
      json: published,
      text: lines(
        `${name.service}/${name.profile}: revision ${published.revision} ${what}; ${changeCell(changes)}`,
      ),
    });
  };

  withRollout(config.command("set <service> <path> <value>"))
    .summary("set the value at a path; JSON, else text")
    .description("Sets the value at a path. The value is JSON, else text; - reads it from standard input.")
    .option("--secret", "seal the value; best with - as the value, so that no shell remembers it")
    .action(
      async (service: string, path: string, text: string, options: ChangeOptions & { secret?: boolean }) => {
        const typed = text === "-" ? (await terminal.readInput()).replace(/\r?\n$/, "") : text;
        const value: JsonValue = options.secret ? { $secret: typed } : typedValue(typed);
        const name = { service, profile: options.profile };
        await publish(name, options, (content) => withValueAt(content, path, value)).catch(
          (error: unknown) => {
            throw options.secret ? error : takenAsText(error, typed);
          },
        );
      },
    );

  withRollout(config.command("unset <service> <path>"))
    .summary("remove what stands at a path")
    .action((service: string, path: string, options: ChangeOptions) =>
      publish({ service, profile: options.profile }, options, (content) => withoutValueAt(content, path)),
    );

  withReason(config.command("rollback <service> <revision>"))
    .summary("make an earlier revision the document again")
    .action(async (service: string, revision: string, options: ChangeOptions) => {
      const name = { service, profile: options.profile };
      const number = wholeNumber("the revision", revision, 1, 999_999_999);
      const document = await client().rollBack(name, { revision: number, reason: options.reason });
      answer(terminal, options, {
        json: document,
        text: lines(
          `${service}/${options.profile}: revision ${document.revision} is the document, as revision ${number} was`,
        ),
      });
    });
};

const documentOrNone = (client: ControlClient, name: DocumentName): Promise<TaggedDocument | undefined> =>
  client.document(name).catch((error: unknown) => {
    if (error instanceof ControlRefusal && error.code === "document_not_found") return undefined;
    throw error;
  });

const rolloutPlan = ({ rollout, every, by }: ChangeOptions): RolloutPlan | undefined => {
  if (rollout === undefined) {
    if (every === undefined && by === undefined) return undefined;
    throw new CliFailure("cannot use --every or --by alone: expected --rollout with it", EXIT.usage);
  }
  const takingPart = by ?? "isolate";
  if (takingPart !== "isolate" && takingPart !== "key") {
    throw new CliFailure(`cannot use --by "${takingPart}": expected isolate or key`, EXIT.usage);
  }
  const seconds = wholeNumber("--every", every ?? "60", 1, 7 * 24 * 60 * 60);
  const steps = growingShares(rollout).map((percentage) => ({ percentage, seconds }));
  return { by: takingPart, steps, errorRateRise: ERROR_RATE_RISE };
};

const growingShares = (text: string): number[] => {
  const shares = text.split(",").map(percentageOf);
  if (shares.every((share, at) => share > (shares[at - 1] ?? -1))) return shares;
  throw new CliFailure(
    `cannot use --rollout "${text}": expected each share to be greater than the one before`,
    EXIT.usage,
  );
};

/** A refused value that was meant as JSON is mostly one that the shell or a missing bracket has spoilt. */
const takenAsText = (error: unknown, typed: string): unknown => {
  if (!(error instanceof ControlRefusal) || error.code !== "config_does_not_fit") return error;
  if (!/^[[{]/.test(typed) || typeof typedValue(typed) !== "string") return error;
  const { status, code } = error;
  return new ControlRefusal(
    `${error.message.replace(/\.$/, "")}; the value is no JSON, so it was taken as text`,
    {
      status,
      code,
    },
  );
};

/** @throws CliFailure with exit code 2 */
export const percentageOf = (text: string): number => {
  const percentage = /^\d{1,3}(\.\d{1,2})?$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (percentage >= 0 && percentage <= 100) return percentage;
  throw new CliFailure(
    `cannot use the percentage "${text}": expected a number from 0 to 100 with two decimals at most`,
    EXIT.usage,
  );
};
