/** A plan of a NATS server, as a person reads it. */
import type { SettingChange } from "#nats/plan.ts";
import type { ServerPlan, Stray } from "#nats/plan-server.ts";
import type { RunningDurability } from "#nats/server-durability.ts";
import { lines } from "./session.ts";

export interface ShownPlan extends ServerPlan {
  /** Absent when nobody was asked. */
  readonly durability?: RunningDurability;
}

export const natsPlanText = (plan: ShownPlan): string =>
  lines(
    [
      `NATS ${plan.version}, ${plan.cluster ? `cluster "${plan.cluster}"` : "alone"}; durability ${durabilityText(plan)}`,
      ...plan.streams.flatMap(({ stream, does, changes }) => [
        `${does.padEnd(8)} ${stream}`,
        ...changes.map((change) => `           ${changeText(change)}`),
      ]),
      "readers of the logs are ephemeral consumers: nothing durable is to stand on the server",
      ...plan.strays.map((stray) => `stray    ${strayText(stray)}`),
      summaryOf(plan),
    ].join("\n"),
  );

/** How much there is to do, in one line. */
export const summaryOf = ({ streams }: ServerPlan): string => {
  const count = (what: string) => streams.filter(({ does }) => does === what).length;
  return `${count("create")} to create, ${count("change")} to change, ${count("refuse")} refused, ${count("nothing")} as declared`;
};

const durabilityText = ({ durability }: ShownPlan): string => {
  if (!durability) return "not known (its monitoring says it: NATS_MONITOR_URL)";
  if (durability.durability === "always") return "always: on disk before the acknowledgement";
  return `interval: on disk up to ${durability.upToMs / 1_000} s after the acknowledgement`;
};

const shown = (value: unknown): string => (value === undefined ? "(nothing)" : JSON.stringify(value));

const changeText = ({ setting, from, to, refused }: SettingChange): string =>
  `${setting}: ${shown(from)} → ${shown(to)}${refused === undefined ? "" : `; refused: ${refused}`}`;

const strayText = (stray: Stray): string =>
  stray.kind === "durable_consumer"
    ? `durable consumer "${stray.consumer}" on ${stray.stream}: nobody here made it, it is left`
    : `stream ${stray.stream}: nobody declares it, it is left`;
