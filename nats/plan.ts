/** What has to change on the server so that it is as declared, and what of it is refused. */
import type { StreamConfig } from "@nats-io/jetstream";
import { type DeclaredStream, SETTINGS_NEVER_ON } from "./streams.ts";

export interface SettingChange {
  readonly setting: string;
  /** As it stands; absent when the server does not say it. */
  readonly from?: unknown;
  /** As it is declared; absent when the setting must be off. */
  readonly to?: unknown;
  /** Why it is not made; absent when it is. */
  readonly refused?: string;
}

export interface StreamPlan {
  readonly stream: string;
  readonly does: "create" | "change" | "nothing" | "refuse";
  readonly changes: readonly SettingChange[];
}

export interface PlanRules {
  /** Whether changes are made that the server never takes back. */
  readonly oneWay: boolean;
  /** Whether the server belongs to a cluster, without which there is one replica alone. */
  readonly clustered: boolean;
  /** Whether the server keeps two appends apart that come at once to several replicas (nats-server#4320). */
  readonly guardsReplicas: boolean;
}

/** What each limit is when it is none; a lower one than stands could make the server drop what is there. */
const LIMIT_OFF: Readonly<Record<string, number>> = {
  max_age: 0,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  max_bytes: -1,
};

const LATER_BUT_NEVER_BACK: ReadonlySet<string> = new Set(["deny_delete", "deny_purge"]);

/** The server refuses to change these, or what stands under the other value is not what a log promises. */
const FIXED: ReadonlySet<string> = new Set(["storage", "retention"]);

/** @param standing null when there is no such stream */
export const planStream = (
  declared: DeclaredStream,
  standing: StreamConfig | null,
  rules: PlanRules,
): StreamPlan => {
  const stream = declared.name;
  if (standing === null) return planNew(declared, rules);
  const changes = [...differing(declared, standing, rules), ...switchedOn(standing)];
  if (changes.length === 0) return { stream, does: "nothing", changes };
  return { stream, does: changes.some(({ refused }) => refused) ? "refuse" : "change", changes };
};

const planNew = (
  { name: stream, num_replicas: replicas = 1 }: DeclaredStream,
  rules: PlanRules,
): StreamPlan => {
  const refused = refusalOfReplicas(1, replicas, rules);
  if (refused === undefined) return { stream, does: "create", changes: [] };
  return { stream, does: "refuse", changes: [{ setting: "num_replicas", to: replicas, refused }] };
};

const differing = (declared: DeclaredStream, standing: StreamConfig, rules: PlanRules): SettingChange[] =>
  Object.entries(declared).flatMap(([setting, to]) => {
    const from = standing[setting as keyof StreamConfig] as unknown;
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    const refused = refusalOf(setting, from, to, { ...rules, history: declared.deny_delete === true });
    return [{ setting, from, to, ...(refused !== undefined && { refused }) }];
  });

const switchedOn = (standing: StreamConfig): SettingChange[] =>
  SETTINGS_NEVER_ON.filter((setting) => standing[setting]).map((setting) => ({
    setting,
    from: standing[setting],
    refused: "commits may be missing or others' already: expected none in a log, move it to a new stream",
  }));

const refusalOf = (
  setting: string,
  from: unknown,
  to: unknown,
  rules: PlanRules & { readonly history: boolean },
): string | undefined => {
  if (FIXED.has(setting)) return "the server cannot change it: move the log to a new stream";
  if (LATER_BUT_NEVER_BACK.has(setting)) return refusalOfOneWay(to, rules);
  if (setting === "num_replicas") return refusalOfReplicas(Number(from), Number(to), rules);
  // A stream that may be deleted from has no history to lose.
  if (!rules.history) return undefined;
  if (setting === "discard") return to === "new" ? undefined : "a full log would drop its oldest commits";
  if (setting === "subjects") return refusalOfSubjects(from, to);
  return setting in LIMIT_OFF ? refusalOfLimit(LIMIT_OFF[setting], Number(from), Number(to)) : undefined;
};

const refusalOfOneWay = (to: unknown, { oneWay }: PlanRules): string | undefined => {
  if (!to) return "the server does not take it back";
  return oneWay ? undefined : "the server never takes it back: allow it with --one-way";
};

const refusalOfReplicas = (from: number, to: number, rules: PlanRules): string | undefined => {
  if (to < from) return "fewer copies of what was acknowledged";
  if (to > 1 && !rules.clustered) return "the server is alone: replicas need a cluster";
  return to > 1 && !rules.guardsReplicas
    ? "servers before 2.11 take two commits for the same place where there are replicas"
    : undefined;
};

const refusalOfSubjects = (from: unknown, to: unknown): string | undefined => {
  const left = new Set(to as string[]);
  const removed = (from as string[]).filter((subject) => !left.has(subject));
  return removed.length > 0 ? `commits under ${removed.join(", ")} would be kept no more` : undefined;
};

const refusalOfLimit = (off: number | undefined, from: number, to: number): string | undefined => {
  const lowers = to !== off && (from === off || to < from);
  return lowers ? "a lower limit could drop or refuse what is there" : undefined;
};
