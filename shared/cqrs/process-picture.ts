/** A process manager's steps as text: what each waits for and does, and the whole as a Mermaid state diagram. */
import { type AnyProcessManager, endsIn, START, type Trigger } from "./process-manager.ts";

type Step = AnyProcessManager["steps"][number];

export interface PicturedStep {
  readonly from: readonly string[];
  readonly to: string;
  readonly kind: "event" | "timeout" | "failure";
  /** What it is taken on: any of them. */
  readonly on: readonly string[];
  /** What it does, and under which condition, a line each. */
  readonly does: readonly string[];
}

export interface PicturedProcess {
  readonly name: string;
  readonly service: string;
  readonly purpose: string;
  /** In the order of their first mention, the beginning first. */
  readonly states: readonly string[];
  /** Those that no step leads out of. */
  readonly ends: readonly string[];
  readonly steps: readonly PicturedStep[];
}

export const pictured = (manager: AnyProcessManager): PicturedProcess => {
  const { name, service, purpose, steps } = manager;
  const states = [...new Set([START, ...steps.flatMap((step) => [...step.in, step.to])])];
  return {
    name,
    service,
    purpose,
    states,
    ends: states.filter((state) => endsIn(manager, state)),
    steps: steps.map((step) => ({
      from: step.in,
      to: step.to,
      kind: kindOf(step),
      on: step.on.map(waitedFor),
      does: doneBy(manager, step),
    })),
  };
};

const kindOf = ({ on, compensates }: Step): PicturedStep["kind"] => {
  if (compensates || on.some((trigger) => typeof trigger === "object" && "refused" in trigger))
    return "failure";
  return on.every((trigger) => typeof trigger === "object") ? "timeout" : "event";
};

const waitedFor = (trigger: Trigger): string => {
  if (typeof trigger === "string") return trigger;
  return "timeout" in trigger ? `timeout "${trigger.timeout}"` : `${trigger.refused} is refused`;
};

const doneBy = ({ steps }: AnyProcessManager, step: Step): string[] => {
  const undone = steps.flatMap(({ sends = [] }) => sends.flatMap(({ undo }) => undo?.name ?? []));
  return [
    ...(step.when ? [`when ${step.when.says}`] : []),
    ...(step.records ? ["records own events"] : []),
    ...(step.sends ?? []).map(
      ({ name, to, undo }) => `sends ${name} to ${to}${undo ? `, undone by ${undo.name}` : ""}`,
    ),
    ...(step.compensates ? [`takes back what was done: ${undone.toReversed().join(", ")}`] : []),
    ...(step.schedules ?? []).map(({ timeout }) => `starts timeout "${timeout}"`),
    ...(step.cancels ?? []).map((timeout) => `cancels timeout "${timeout}"`),
  ];
};

/** A `stateDiagram-v2`, its lines ended. */
export const mermaidOf = (manager: AnyProcessManager): string => {
  const { states, ends, steps } = pictured(manager);
  const ids = new Map(states.map((state, index) => [state, state === START ? "[*]" : `s${index}`]));
  const idOf = (state: string) => ids.get(state) ?? state;
  const named = states.filter((state) => state !== START);
  return [
    "stateDiagram-v2",
    ...named.map((state) => `  state "${state}" as ${idOf(state)}`),
    ...steps.flatMap(({ from, to, on, does }) =>
      from.map((state) => `  ${idOf(state)} --> ${idOf(to)}: ${labelOf([on.join(" or "), ...does])}`),
    ),
    ...ends.filter((state) => state !== START).map((state) => `  ${idOf(state)} --> [*]`),
    "",
  ].join("\n");
};

/** Mermaid takes a colon, a semicolon and a quotation mark for its own. */
const labelOf = (rows: readonly string[]): string =>
  rows.map((row) => row.replaceAll('"', "").replaceAll(/[:;]/g, ",")).join("<br/>");
