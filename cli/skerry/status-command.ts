/** `npx skerry status`: whether the system is ready, and who says that it is not. */
import { Command } from "commander";
import type { Readiness } from "#shared/http/readiness.ts";
import { askGateway, EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { answer, type Session, tableOn, withJson } from "./session.ts";

export const statusCommand = ({ terminal, url }: Session): Command =>
  withJson(new Command("status"))
    .summary("whether the system is ready")
    .description("Asks the gateway whether all that it needs is ready; exit code 1 when something is not.")
    .action(async (options: { readonly json?: boolean }) => {
      const { text } = await askGateway({ url: url(), fetch: terminal.fetch }, "/readyz");
      const readiness = readinessOf(text, url());
      const rows = readiness.checks.map(({ name, ready, detail = "" }) => [
        name,
        ready ? "ready" : "not ready",
        detail,
      ]);
      answer(terminal, options, {
        json: readiness,
        text: tableOn(terminal, ["what", "is", "because"], rows),
      });
      if (readiness.ready) return;
      const missing = readiness.checks.filter(({ ready }) => !ready).map(({ name }) => name);
      throw new CliFailure(`the system is not ready: ${missing.join(", ")}`, EXIT.failed);
    });

const readinessOf = (text: string, url: string): Readiness => {
  try {
    const body = JSON.parse(text) as Partial<Readiness>;
    if (Array.isArray(body.checks)) return body as Readiness;
  } catch {
    // Said below: it is no gateway of ours.
  }
  throw new CliFailure(
    `cannot read the answer of "${url}/readyz": expected a gateway there`,
    EXIT.unreachable,
  );
};
