/** A folded aggregate as text, as it stands in the Actor's SQLite and on the NATS server. */
import type { AggregateRef, DomainEvent } from "../events/event.ts";
import type { Aggregate } from "./aggregate.ts";
import type { Folded } from "./folded-cache.ts";
import type { RememberedCommand } from "./remembered-commands.ts";

/** Keeps snapshots where every Actor finds them. Losing one costs time alone. */
export interface SnapshotLog {
  /** The one written last; undefined when there is none. May throw: then there is none now. */
  read(aggregate: AggregateRef): Promise<string | undefined>;
  /** @throws Error when it was not kept */
  write(aggregate: AggregateRef, snapshot: string): Promise<void>;
}

/** Raised when this form or what goes into it changes: others are void. */
const FORM = 1;

interface Snapshot {
  readonly form: number;
  /** The aggregate's own `snapshot.version`. */
  readonly schema: number;
  readonly position: number;
  readonly version: number;
  readonly commandId: string;
  readonly spilledUntil: number;
  readonly commands: readonly RememberedCommand[];
  readonly state: unknown;
}

/** @param spilled ids of the aggregate beside those in memory; with them the snapshot needs no table beside it */
export const encodeSnapshot = (
  { snapshot }: Aggregate<unknown, object, DomainEvent>,
  { state, position, version, commandId, commands }: Folded,
  spilled: readonly RememberedCommand[] | "in the table" = "in the table",
): string | undefined => {
  const json = jsonOf(snapshot, state);
  if (json === undefined) return undefined;
  const beside = spilled === "in the table" ? [] : spilled;
  const rest: Omit<Snapshot, "state"> = {
    form: FORM,
    schema: snapshot?.version ?? 0,
    position,
    version,
    commandId,
    spilledUntil: spilled === "in the table" ? commands.spilledUntil : 0,
    commands: [...beside, ...commands.newest.values()].toSorted(([, a], [, b]) => a - b),
  };
  return `${JSON.stringify(rest).slice(0, -1)},"state":${json}}`;
};

/** Undefined for one of another version, and for what cannot be decoded. */
export const decodeSnapshot = (
  { snapshot }: Aggregate<unknown, object, DomainEvent>,
  text: string,
): Folded | undefined => {
  try {
    const { form, schema, position, version, commandId, spilledUntil, commands, state } = JSON.parse(
      text,
    ) as Snapshot;
    if (form !== FORM || schema !== snapshot?.version) return undefined;
    return {
      state: snapshot.decode ? snapshot.decode(state) : state,
      position,
      version,
      commandId,
      commands: { newest: new Map(commands.map((command) => [command[0], command])), spilledUntil },
      savedVersion: version,
      behind: false,
    };
  } catch {
    return undefined;
  }
};

/** The state as JSON text; undefined when it is more than JSON can say. */
export const jsonOf = (
  snapshot: Aggregate<unknown, object, DomainEvent>["snapshot"],
  state: unknown,
): string | undefined => {
  const value = snapshot?.encode ? snapshot.encode(state) : state;
  return isJson(value) ? JSON.stringify(value) : undefined;
};

/** Fields that are undefined count as absent. */
const isJson = (value: unknown): boolean => {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object") return false;
  if (Array.isArray(value)) return value.every(isJson);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) &&
    Object.values(value).every((field) => field === undefined || isJson(field))
  );
};
