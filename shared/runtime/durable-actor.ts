/** The Actor port on Durable Objects with SQLite storage. The class around it, which only the platform asks for, is a few lines. */
import { injectTrace, withTrace } from "../telemetry/propagation.ts";
import { inSpan } from "../telemetry/span.ts";
import {
  type ActorCall,
  type ActorContext,
  type ActorLogic,
  type ActorMethods,
  type ActorSql,
  type Actors,
  ActorUnavailable,
  type SqlRow,
  type SqlValue,
} from "./actor.ts";

export interface DurableActor {
  call(call: ActorCall): Promise<unknown>;
  alarm(): Promise<void>;
}

/**
 * Hosts an Actor's logic in a Durable Object.
 * @param options.kind names the Actor's kind in spans: "orders/commands"
 * @param options.afterWork runs after each call, alarm or other piece of work with the object's `waitUntil`: telemetry leaves here
 */
export const hostDurableActor = <Methods extends ActorMethods>(
  state: DurableObjectState,
  create: (context: ActorContext) => ActorLogic<Methods>,
  options: { kind: string; afterWork?: (waitUntil: (work: Promise<unknown>) => void) => void },
): DurableActor => {
  const waitUntil = (work: Promise<unknown>) => state.waitUntil(work);
  const afterWork = () => options.afterWork?.(waitUntil);
  const logic = create(durableContext(state, afterWork));

  return {
    async call({ method, input, trace }) {
      const run = Object.hasOwn(logic.methods, method) ? logic.methods[method] : undefined;
      if (!run) throw new Error(`Cannot call "${method}": the Actor "${options.kind}" has no such method`);
      try {
        return await withTrace(trace, () =>
          inSpan(
            `${options.kind} ${method}`,
            { attributes: { "skerry.actor.name": state.id.name ?? "" } },
            () => run(input),
          ),
        );
      } finally {
        afterWork();
      }
    },
    async alarm() {
      try {
        await logic.alarm?.();
      } finally {
        afterWork();
      }
    },
  };
};

const durableContext = (state: DurableObjectState, worked: () => void): ActorContext => ({
  name: state.id.name ?? state.id.toString(),
  sql: durableSql(state.storage),
  alarm: {
    set: (atMs) => state.storage.setAlarm(atMs),
    clear: () => state.storage.deleteAlarm(),
  },
  worked,
});

const durableSql = (storage: DurableObjectStorage): ActorSql => ({
  exec: <Row extends SqlRow>(statement: string, ...params: SqlValue[]) =>
    storage.sql.exec<Row>(statement, ...params).toArray(),
  transaction: (work) => storage.transactionSync(work),
});

interface ActorNamespace {
  getByName(name: string): { call(call: ActorCall): Promise<unknown> };
}

/** @param namespace binding of a class whose `call` is a {@link DurableActor}'s */
export const durableActors = <Methods extends ActorMethods>(namespace: object): Actors<Methods> => ({
  named(name) {
    const call = async (method: string, input: unknown) => {
      try {
        // A stub belongs to the request that made it, so each call makes its own.
        return await (namespace as ActorNamespace)
          .getByName(name)
          .call({ method, input, trace: injectTrace() });
      } catch (error) {
        if (!isOfThePlatform(error)) throw error;
        throw new ActorUnavailable(`Calling "${method}" of "${name}": it could not be reached`, {
          cause: error,
        });
      }
    };
    return new Proxy({} as Methods, {
      // What has a `then` would be taken for a promise by `await`.
      get: (_, method) =>
        typeof method === "string" && method !== "then" ? (input: unknown) => call(method, input) : undefined,
    });
  },
});

/**
 * Whether the platform threw, and not the Actor: it marks its own errors `retryable` or `overloaded`, and those by which an
 * object was ended `durableObjectReset`; what code in the object threw is `remote`, and so are some of the former.
 * https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
const isOfThePlatform = (thrown: unknown): boolean => {
  if (!(thrown instanceof Error)) return false;
  const { retryable, overloaded, durableObjectReset, remote } = thrown as Error & Record<string, unknown>;
  if (retryable || overloaded || durableObjectReset) return true;
  // An argument that cannot be copied is the caller's mistake, found before anything was sent.
  return !remote && thrown.name !== "DataCloneError" && !(thrown instanceof TypeError);
};
