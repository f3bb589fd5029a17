/** A gateway before instances that do what a test says, in time that a test lets pass. */

import { timerOf } from "#shared/resilience/deadline-in-virtual-time.ts";
import type { Clock, Random, Sleep } from "#shared/runtime/clock.ts";
import { type FakeLink, fakeLink, instance } from "../fake-link.ts";
import { createPipeline } from "../pipeline.ts";
import { registeredServices } from "../registered-services.ts";
import { fakePolicies } from "./fake-policies.ts";
import type { WrittenPolicy } from "./policy-schema.ts";

/** What an instance does with a request: a status, or whatever else. It may wait by `sleep`, and throw to be unreachable. */
export type Behaviour = number | ((request: Request) => Response | Promise<Response>);

export const unreachable = (): never => {
  throw new TypeError("Connection refused");
};

interface Time {
  readonly clock: Clock;
  readonly sleep: Sleep;
  /** Lets time pass until the condition holds. */
  until(condition: () => boolean): Promise<void>;
}

export const gatewayInVirtualTime = <T extends Time>(
  time: T,
  policy: WrittenPolicy = {},
  random: Random = () => 0.5,
) => {
  const link: FakeLink = fakeLink();
  const fake = fakePolicies(policy, { random, clock: time.clock, sleep: time.sleep, timer: timerOf(time) });
  const behaviours = new Map<string, Behaviour>();
  /** Ids of instances in the order in which they were asked. */
  const asked: string[] = [];
  const seen: Request[] = [];
  const cancelled: string[] = [];

  const app = createPipeline({
    link,
    services: registeredServices({
      link,
      random,
      upstreamOf: ({ id }) => ({
        async fetch(request) {
          asked.push(id);
          seen.push(request);
          const behaviour = behaviours.get(id) ?? 200;
          if (typeof behaviour === "function") return behaviour(request);
          const body = new ReadableStream(
            {
              pull(controller) {
                controller.enqueue(new TextEncoder().encode(id));
                controller.close();
              },
              cancel: () => void cancelled.push(id),
            },
            { highWaterMark: 0 },
          );
          return new Response(body, { status: behaviour, headers: { "x-request-id": "r" } });
        },
      }),
    }),
    ...fake,
    monitor: { fetch: async () => new Response() },
    control: { fetch: async () => new Response() },
    newRequestId: () => "made-here",
  });

  /** The instances of "s", in version 1, by their names. */
  const instances = (all: Readonly<Record<string, Behaviour>>): void => {
    for (const [id, behaviour] of Object.entries(all)) behaviours.set(id, behaviour);
    link.register("s", ...Object.keys(all).map((id) => instance({ id, url: `http://${id}` })));
  };

  const begin = (init: RequestInit = {}, path = "/s/v1/x"): Promise<Response> =>
    Promise.resolve(
      app.fetch(new Request(new URL(path, "http://gateway"), init), {
        waitUntil() {},
        passThroughOnException() {},
        props: {},
      }),
    );

  /** Lets time pass until there is an answer. */
  const ask = async (init: RequestInit = {}, path = "/s/v1/x") => {
    let done = false;
    const answer = begin(init, path).finally(() => {
      done = true;
    });
    await time.until(() => done);
    const response = await answer;
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  return { time, link, behaviours, asked, seen, cancelled, instances, begin, ask, ...fake };
};
