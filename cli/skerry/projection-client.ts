/** What the command line asks of services' projections, through the gateway. */

import type { ProjectionDetails } from "#shared/cqrs/projector-actor.ts";
import type { RebuildProgress } from "#shared/cqrs/rebuild.ts";
import type { Problem } from "#shared/http/problem.ts";
import { majorOf } from "#shared/registry/instance.ts";
import { askGateway, type ControlAnswer, type ControlCall, ControlRefusal, EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { type Asked, askServices, besides } from "./ask-services.ts";
import { answeredItems } from "./service-answer.ts";
import type { Session } from "./session.ts";

/** A service's routes: `/orders/v1`. */
export interface ServicePaths {
  readonly service: string;
  readonly path: string;
}

export interface FoundProjection extends ServicePaths {
  readonly details: ProjectionDetails;
}

export interface ProjectionClient {
  /** Of one service, or of all that the registry knows. */
  list(service: string | undefined): Promise<Asked<FoundProjection>>;
  /** @throws CliFailure when there is none of this name, or several and no service was said */
  find(name: string, service: string | undefined): Promise<FoundProjection>;
  rebuild(of: FoundProjection, options: { readonly keep: boolean }): Promise<RebuildProgress>;
  progress(of: FoundProjection, id: string): Promise<RebuildProgress>;
  cancel(of: FoundProjection, id: string): Promise<RebuildProgress>;
  dropOld(of: FoundProjection): Promise<void>;
}

export const projectionClient = ({ url, terminal, client }: Session): ProjectionClient => {
  const key = terminal.env.SKERRY_API_KEY;
  const headers = key === undefined ? {} : { "x-api-key": key };
  const ask = (path: string, call?: ControlCall) =>
    askGateway({ url: url(), fetch: terminal.fetch }, path, { ...call, headers });
  const json = async <Body>(path: string, call?: ControlCall): Promise<Body> => {
    const answer = await ask(path, call);
    if (answer.status >= 400) throw refusalOf(answer);
    return JSON.parse(answer.text) as Body;
  };

  const pathsOf = async (service: string | undefined): Promise<readonly ServicePaths[]> => {
    const known = service === undefined ? await client().services() : [await client().service(service)];
    return known.flatMap(({ service, instances }) =>
      [...new Set(instances.map(({ version }) => majorOf(version)))].map((major) => ({
        service,
        path: `/${service}/v${major}`,
      })),
    );
  };

  const projectionsOf = async (paths: ServicePaths): Promise<FoundProjection[]> => {
    const answer = await ask(`${paths.path}/projections`);
    // Not every service has read models.
    if (answer.status === 404) return [];
    if (answer.status >= 400) throw refusalOf(answer);
    return answeredItems<ProjectionDetails>(answer.text, "projection").map((details) => ({
      ...paths,
      details,
    }));
  };

  const list = async (service: string | undefined) => askServices(await pathsOf(service), projectionsOf);
  const rebuilds = ({ path, details }: FoundProjection) =>
    `${path}/projections/${encodeURIComponent(details.projection)}/rebuilds`;

  return {
    list,
    async find(name, service) {
      const all = await list(service);
      const [found, another] = all.found.filter(({ details }) => details.projection === name);
      if (found && !another) return found;
      const names = all.found.map(({ service, details }) => `${service} ${details.projection}`).join(", ");
      throw found
        ? new CliFailure(`cannot tell which "${name}" is meant: expected --service, of ${names}`, EXIT.usage)
        : new CliFailure(
            `cannot find the projection "${name}": expected one of ${names}${besides(all)}`,
            all.silent.length > 0 ? EXIT.unreachable : EXIT.notFound,
          );
    },
    rebuild: (of, body) => json(rebuilds(of), { method: "POST", body }),
    progress: (of, id) => json(`${rebuilds(of)}/${encodeURIComponent(id)}`),
    cancel: (of, id) => json(`${rebuilds(of)}/${encodeURIComponent(id)}`, { method: "DELETE" }),
    async dropOld({ path, details }) {
      const at = `${path}/projections/${encodeURIComponent(details.projection)}/old`;
      const answer = await ask(at, { method: "DELETE" });
      if (answer.status >= 400) throw refusalOf(answer);
    },
  };
};

const refusalOf = ({ status, text }: ControlAnswer): ControlRefusal => {
  const { title = `answered ${status}`, detail, type = "" } = problemOf(text);
  const code = type.replace(/^.*\/problems\//, "");
  return new ControlRefusal(detail === undefined ? title : `${title}: ${detail}`, { status, code });
};

const problemOf = (text: string): Partial<Problem> => {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    return {};
  }
};
