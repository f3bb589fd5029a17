/** `npx skerry forget`: has services forget a data subject, for ever. */
import { Command } from "commander";
import type { Forgotten } from "#shared/erasure/forget-subject.ts";
import { AGGREGATE_ID } from "#shared/events/event.ts";
import type { Problem } from "#shared/http/problem.ts";
import { majorOf } from "#shared/registry/instance.ts";
import { askGateway, type ControlAnswer, ControlRefusal, EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { answeredObject } from "./service-answer.ts";
import { answer, lines, type Session, withJson } from "./session.ts";

interface Options {
  readonly service?: string;
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

interface Done extends Forgotten {
  readonly service: string;
}

export const forgetCommand = (session: Session): Command => {
  const { terminal, url, client } = session;

  const servicesOf = async ({ service, all = false }: Options) => {
    if ((service === undefined) !== all)
      throw new CliFailure("cannot tell where to forget: expected either --service or --all", EXIT.usage);
    const known = service === undefined ? await client().services() : [await client().service(service)];
    return known.flatMap(({ service, instances }) => {
      const [major] = instances.map(({ version }) => majorOf(version)).sort((a, b) => b - a);
      return major === undefined ? [] : [{ service, path: `/${service}/v${major}/forgotten` }];
    });
  };

  /** Undefined for a service that has no such route: nothing of its events is personal. "unclear": it says something else. */
  const forgetIn = async (path: string, subject: string): Promise<Forgotten | "unclear" | undefined> => {
    const key = terminal.env.SKERRY_API_KEY;
    const told = await askGateway({ url: url(), fetch: terminal.fetch }, path, {
      method: "POST",
      body: { subject },
      ...(key && { headers: { "x-api-key": key } }),
    });
    if (told.status === 404) return undefined;
    if (told.status >= 400) throw refusalOf(told);
    return answeredObject<Forgotten>(told.text, "subject") ?? "unclear";
  };

  return withJson(new Command("forget"))
    .argument("<subject>", "the data subject, as the events name it")
    .summary("forget a data subject: nobody can read its personal values any more")
    .description(
      "Destroys the key of a data subject, and tells the log. There is no way back. Whoever is interrupted repeats it.",
    )
    .option("--service <name>", "by this service")
    .option("--all", "by all services of the registry that know personal values")
    .option("-y, --yes", "do not ask")
    .action(async (subject: string, options: Options) => {
      const tokens = subject.split(".");
      if (tokens.length > 2 || !tokens.every((token) => AGGREGATE_ID.test(token))) {
        throw new CliFailure(
          `cannot forget "${subject}": expected 1 to 64 letters, digits, "_" or "-", after its tenant and a dot where tenants are kept apart`,
          EXIT.usage,
        );
      }
      const services = await servicesOf(options);
      if (!options.yes) {
        terminal.err.write(
          `Forget "${subject}" in ${services.map(({ service }) => service).join(", ")} for ever? (yes) `,
        );
        if ((await terminal.readLine()).trim() !== "yes")
          throw new CliFailure("nothing was forgotten: expected the answer yes, or --yes");
      }
      const done: Done[] = [];
      const unclear: string[] = [];
      for (const { service, path } of services) {
        const forgotten = await forgetIn(path, subject);
        if (forgotten === "unclear") unclear.push(`"${service}"`);
        else if (forgotten) done.push({ service, ...forgotten });
        else if (options.service !== undefined)
          throw new CliFailure(`"${service}" has nothing personal to forget`, EXIT.notFound);
      }
      const text = done.map(({ service, position }) => `${service}: forgotten, position ${position}`);
      answer(terminal, options, {
        json: { items: done },
        text: lines(text.length > 0 ? text.join("\n") : "no service has forgotten anything"),
      });
      if (unclear.length > 0) {
        throw new CliFailure(
          `cannot tell whether ${unclear.join(", ")} has forgotten "${subject}": it answered something else than that; see to it there`,
        );
      }
    });
};

const refusalOf = ({ status, text }: ControlAnswer): ControlRefusal => {
  const { title = `answered ${status}`, detail, type = "" } = problemOf(text);
  const code = type.replace(/^.*\/problems\//, "");
  const way =
    status === 401 || status === 403 ? "; SKERRY_API_KEY must be a key with the scope skerry:operate" : "";
  return new ControlRefusal(`${detail === undefined ? title : `${title}: ${detail}`}${way}`, {
    status,
    code,
  });
};

const problemOf = (text: string): Partial<Problem> => {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    return {};
  }
};
