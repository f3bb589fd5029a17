/** A browser, the session part and a service that does as it is told, for tests of sessions. */
import {
  readSessionField,
  SESSION_FIELD,
  SET_SESSION_FIELD,
  type SessionContent,
  sessionField,
} from "#shared/http/session-fields.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import type { KeyValue } from "#shared/storage/key-value.ts";
import type { Exchange, Handler } from "../../exchange.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { session } from "./session.ts";
import type { WrittenSession } from "./session-schema.ts";

export const SESSION_COOKIE = "__Host-skerry-session";
export const CSRF_COOKIE = "__Host-skerry-csrf";

/** @param letter makes different keys */
export const keyOf = (letter: string): string => btoa(letter.repeat(32));
export const K1 = { id: "k1", key: keyOf("a") };
export const K2 = { id: "k2", key: keyOf("b") };

interface StandOptions {
  readonly settings?: WrittenSession;
  readonly store?: KeyValue;
  readonly caller?: Exchange["caller"];
  /** Never rings when absent. */
  readonly timer?: Timer;
}

export const sessionStand = ({
  settings = {},
  store,
  caller,
  timer = () => () => undefined,
}: StandOptions = {}) => {
  const world = { now: 1_800_000_000_000 };
  const jar = new Map<string, string>();
  /** What the service answers with next, and what it saw of the last request. */
  const service: {
    sets?: SessionContent | string;
    headers?: Record<string, string>;
    saw?: Exchange | undefined;
  } = {};
  let part = session({ keys: [K1], ...settings }, { clock: () => world.now, timer, store });

  const handler: Handler = async (exchange) => {
    service.saw = exchange;
    const { sets } = service;
    const field = typeof sets === "object" ? sessionField(sets) : sets;
    return new Response("hello", {
      headers: { ...service.headers, ...(field !== undefined && { [SET_SESSION_FIELD]: field }) },
    });
  };

  const keepCookies = (answer: Response): void => {
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes("Max-Age=0;")) jar.delete(name);
      else jar.set(name, value);
    }
  };

  return {
    world,
    jar,
    service,
    /** The same route under another configuration. */
    configure(written: WrittenSession): void {
      part = session(written, { clock: () => world.now, timer, store });
    },
    /** Sends what the browser has; `sets` is what the service answers with. */
    async send(
      method = "GET",
      headers: Record<string, string> = {},
      sets?: SessionContent | string,
    ): Promise<Response> {
      service.saw = undefined;
      if (sets === undefined) delete service.sets;
      else service.sets = sets;
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const init = { method, headers: { ...(cookie && { cookie }), ...headers } };
      const exchange = fakeExchange("https://shop.example/cart", init, caller && { caller });
      const answer = await answered(part(handler), exchange);
      keepCookies(answer);
      return answer;
    },
    /** What the service was told of the session; undefined when nothing. */
    seen(): SessionContent | undefined {
      const edit = service.saw?.onward?.find(({ name }) => name === SESSION_FIELD);
      return edit && readSessionField(edit.value);
    },
  };
};
