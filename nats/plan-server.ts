/** Compares a server with what is declared: its streams, and who stands on them that nobody declares. */
import {
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type StreamConfig,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { type PlanRules, planStream, type StreamPlan } from "./plan.ts";
import { isServerFrom } from "./server-version.ts";
import { declaredStreams } from "./streams.ts";

const STREAM_NOT_FOUND = 10059;
/** What a log or its snapshots are named; other streams are none of ours. */
const OURS = /^(log|snap)-/;

/**
 * The first minor version that is known to keep two appends with the same expectation apart on replicas. 2.9.10 does not;
 * the last gap, an expectation of nothing, was closed in the course of 2.10 (nats-server#4320, #5794).
 */
const GUARDS_REPLICAS_FROM = [2, 11] as const;

/** What stands beside what is declared; never removed, because somebody else may need it. */
export type Stray =
  /** Readers of a log are ephemeral: whoever made this one takes its place from the server, which nobody here does. */
  | { readonly kind: "durable_consumer"; readonly stream: string; readonly consumer: string }
  | { readonly kind: "undeclared_stream"; readonly stream: string };

export interface ServerPlan {
  /** Of the server that answered. */
  readonly version: string;
  /** Its cluster's name; absent when it is alone. */
  readonly cluster?: string;
  readonly streams: readonly StreamPlan[];
  readonly strays: readonly Stray[];
}

export interface PlanOptions {
  /** Copies of each stream; absent: as it stands, one when it is new. */
  readonly replicas?: number | undefined;
  /** Whether changes are made that the server never takes back. */
  readonly oneWay?: boolean;
}

/** @throws the client library's error when the server does not answer or does not allow it */
export const planServer = async (
  connection: NatsConnection,
  { replicas, oneWay = false }: PlanOptions = {},
): Promise<ServerPlan> => {
  const manager = await jetstreamManager(connection);
  const { version = "", cluster } = connection.info ?? {};
  const rules: PlanRules = {
    oneWay,
    clustered: cluster !== undefined,
    guardsReplicas: isServerFrom(version, GUARDS_REPLICAS_FROM),
  };
  const declared = declaredStreams(replicas);
  const streams: StreamPlan[] = [];
  const strays: Stray[] = [];
  for (const stream of declared) {
    const standing = await standingConfig(manager, stream.name);
    streams.push(planStream(stream, standing, rules));
    if (standing) strays.push(...(await durableConsumers(manager, stream.name)));
  }
  const names = new Set(declared.map(({ name }) => name));
  for await (const name of manager.streams.names())
    if (OURS.test(name) && !names.has(name)) strays.push({ kind: "undeclared_stream", stream: name });
  return { version, ...(cluster !== undefined && { cluster }), streams, strays };
};

/** Makes what the plan says. @throws Error when the plan refuses anything: nothing is made then */
export const applyPlan = async (
  connection: NatsConnection,
  plan: ServerPlan,
  { replicas }: PlanOptions = {},
): Promise<void> => {
  const refused = plan.streams.filter(({ does }) => does === "refuse").map(({ stream }) => `"${stream}"`);
  if (refused.length > 0)
    throw new Error(`Cannot change ${refused.join(", ")}: expected a plan that refuses nothing`);
  const manager = await jetstreamManager(connection);
  for (const declared of declaredStreams(replicas)) {
    const planned = plan.streams.find(({ stream }) => stream === declared.name);
    if (planned?.does === "create") await manager.streams.add(declared);
    if (planned?.does === "change")
      await manager.streams.update(declared.name, settingsOf(declared, planned));
  }
};

const settingsOf = (declared: Partial<StreamConfig>, { changes }: StreamPlan): Partial<StreamConfig> =>
  Object.fromEntries(changes.map(({ setting }) => [setting, declared[setting as keyof StreamConfig]]));

const standingConfig = (manager: JetStreamManager, stream: string): Promise<StreamConfig | null> =>
  manager.streams.info(stream).then(
    ({ config }) => config,
    (error: unknown) => {
      if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return null;
      throw error;
    },
  );

const durableConsumers = async (manager: JetStreamManager, stream: string): Promise<Stray[]> => {
  const found: Stray[] = [];
  for await (const { config } of manager.consumers.list(stream))
    if (config.durable_name) found.push({ kind: "durable_consumer", stream, consumer: config.durable_name });
  return found;
};
