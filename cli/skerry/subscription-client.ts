/** What the command line asks of services' subscriptions and of what they have parked, through the gateway. */

import type { ParkedEvent } from "#shared/cqrs/parking.ts";
import type { ReplayedEvents } from "#shared/cqrs/parking-replays.ts";
import type { ParkedDetails } from "#shared/cqrs/process-actor.ts";
import type { Subscription } from "#shared/cqrs/subscription-routes.ts";
import type { Problem } from "#shared/http/problem.ts";
import { majorOf } from "#shared/registry/instance.ts";
import { askGateway, type ControlAnswer, type ControlCall, ControlRefusal, EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { type Asked, askServices, besides } from "./ask-services.ts";
import { answeredItems, answeredObject } from "./service-answer.ts";
import type { Session } from "./session.ts";

/** A service's routes: `/orders/v1`. */
export interface OperatedService {
  readonly service: string;
  readonly path: string;
}

export interface FoundSubscription extends OperatedService {
  readonly subscription: Subscription;
}

export interface FoundParked extends OperatedService {
  readonly event: ParkedDetails & { readonly traceId?: string };
}

export interface ReplayChoice {
  readonly type?: string | undefined;
  readonly limit: number;
  readonly after?: ReplayedEvents["next"] | undefined;
}

export interface SubscriptionClient {
  /** Of one service, or of all that the registry knows. */
  list(service: string | undefined): Promise<Asked<FoundSubscription>>;
  /** @throws CliFailure when there is none of this name, or several and no service was said */
  find(name: string, service: string | undefined): Promise<FoundSubscription>;
  pause(of: FoundSubscription): Promise<Subscription>;
  resume(of: FoundSubscription): Promise<Subscription>;
  replayFrom(of: FoundSubscription, from: number | string): Promise<Subscription>;
  /** At most so many, service by service. */
  parked(service: string | undefined, most: number): Promise<Asked<{ service: string; event: ParkedEvent }>>;
  /** @throws CliFailure when no service has parked it */
  show(id: string, service: string | undefined): Promise<FoundParked>;
  replay(of: FoundParked): Promise<void>;
  replaySome(of: FoundSubscription, choice: ReplayChoice): Promise<ReplayedEvents>;
  drop(of: FoundParked, reason: string): Promise<void>;
}

/** A page of what is parked; the server's own bound. */
const PAGE = 100;
/** Handling parked events again takes its time. */
const REPLAY_MS = 30_000;

export const subscriptionClient = ({ url, terminal, client }: Session): SubscriptionClient => {
  const key = terminal.env.SKERRY_API_KEY;
  const ask = (path: string, call: ControlCall = {}, boundMs?: number) =>
    askGateway({ url: url(), fetch: terminal.fetch, ...(boundMs !== undefined && { boundMs }) }, path, {
      ...call,
      headers: key === undefined ? {} : { "x-api-key": key },
    });
  const json = async <Body>(path: string, call?: ControlCall, boundMs?: number): Promise<Body> => {
    const answer = await ask(path, call, boundMs);
    if (answer.status >= 400) throw refusalOf(answer);
    return JSON.parse(answer.text) as Body;
  };
  /** Undefined where there is nothing: not every service has processes. */
  const answerIfAny = async (path: string): Promise<ControlAnswer | undefined> => {
    const answer = await ask(path);
    if (answer.status === 404) return undefined;
    if (answer.status >= 400) throw refusalOf(answer);
    return answer;
  };

  const services = async (service: string | undefined): Promise<readonly OperatedService[]> => {
    const known = service === undefined ? await client().services() : [await client().service(service)];
    return known.flatMap(({ service, instances }) =>
      [...new Set(instances.map(({ version }) => majorOf(version)))].map((major) => ({
        service,
        path: `/${service}/v${major}`,
      })),
    );
  };

  const subscriptionsOf = async (of: OperatedService): Promise<FoundSubscription[]> => {
    const found = await answerIfAny(`${of.path}/subscriptions`);
    const items = answeredItems<Subscription>(found?.text ?? "", "name");
    return items.map((subscription) => ({ ...of, subscription }));
  };
  const list = async (service: string | undefined) => askServices(await services(service), subscriptionsOf);
  const change = (
    { path, subscription }: FoundSubscription,
    what: "pauses" | "resumes" | "replays",
    body?: object,
  ) =>
    json<Subscription>(`${path}/subscriptions/${encodeURIComponent(subscription.name)}/${what}`, {
      method: "POST",
      body,
    });

  const parkedOf = async ({ path, service }: OperatedService, most: number) => {
    const events: { service: string; event: ParkedEvent }[] = [];
    let next: string | undefined = `${path}/parked?limit=${Math.min(PAGE, most)}`;
    while (next !== undefined && events.length < most) {
      const found = await answerIfAny(next);
      const items = answeredItems<ParkedEvent>(found?.text ?? "", "process");
      events.push(...items.map((event) => ({ service, event })));
      next = items.length > 0 ? nextOf(found) : undefined;
    }
    return events.slice(0, most);
  };

  const at = ({ path, event }: FoundParked) => `${path}/parked/${inPath(event.id)}`;

  return {
    list,
    async find(name, service) {
      const all = await list(service);
      const [found, another] = all.found.filter(({ subscription }) => subscription.name === name);
      if (found && !another) return found;
      const names = all.found
        .map(({ service, subscription }) => `${service} ${subscription.name}`)
        .join(", ");
      throw found
        ? new CliFailure(`cannot tell which "${name}" is meant: expected --service, of ${names}`, EXIT.usage)
        : new CliFailure(
            `cannot find the subscription "${name}": expected one of ${names}${besides(all)}`,
            all.silent.length > 0 ? EXIT.unreachable : EXIT.notFound,
          );
    },
    pause: (of) => change(of, "pauses"),
    resume: (of) => change(of, "resumes"),
    replayFrom: (of, from) => change(of, "replays", { from }),
    async parked(service, most) {
      const asked = await askServices(await services(service), (of) => parkedOf(of, most));
      return { ...asked, found: asked.found.slice(0, most) };
    },
    async show(id, service) {
      const known = await services(service);
      const asked = await askServices(known, async (of) => {
        const answer = await answerIfAny(`${of.path}/parked/${inPath(id)}`);
        const event = answeredObject<FoundParked["event"]>(answer?.text ?? "", "process");
        return event ? [{ ...of, event }] : [];
      });
      if (asked.found[0]) return asked.found[0];
      const names = [...new Set(known.map(({ service }) => service))].join(", ");
      throw new CliFailure(
        `cannot find "${id}": no process of ${names} has parked it${besides(asked)}`,
        asked.silent.length > 0 ? EXIT.unreachable : EXIT.notFound,
      );
    },
    async replay({ path, event: { process, id } }) {
      await json(`${path}/parked/replays`, { method: "POST", body: { process, id } }, REPLAY_MS);
    },
    replaySome: ({ path, subscription }, choice) =>
      json(
        `${path}/parked/replays`,
        { method: "POST", body: { process: subscription.name, ...choice } },
        REPLAY_MS,
      ),
    async drop(of, reason) {
      await json(`${at(of)}?${new URLSearchParams({ process: of.event.process, reason })}`, {
        method: "DELETE",
      });
    },
  };
};

const nextOf = (answer: ControlAnswer | undefined): string | undefined =>
  /^<([^>]+)>; rel="next"$/.exec(answer?.headers.get("link") ?? "")?.[1];

/** A gateway refuses an escaped slash, and services take this in its place. */
const inPath = (id: string): string => encodeURIComponent(id.replaceAll("/", "~"));

const refusalOf = ({ status, text }: ControlAnswer): ControlRefusal => {
  const { title = `answered ${status}`, detail, type = "" } = problemOf(text);
  const code = type.replace(/^.*\/problems\//, "");
  const said = detail === undefined ? title : `${title}: ${detail}`;
  const way = WAY_OUT[status];
  return new ControlRefusal(way ? `${said.replace(/\.$/, "")}; ${way}` : said, { status, code });
};

const WAY_OUT: Readonly<Record<number, string>> = {
  401: "SKERRY_API_KEY must be a key that the gateway knows",
  403: 'SKERRY_API_KEY must be a key with the scope "skerry:operate"',
};

const problemOf = (text: string): Partial<Problem> => {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    return {};
  }
};
