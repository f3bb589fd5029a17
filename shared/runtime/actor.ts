/**
 * The Actor port: one writer for one name, with its own SQLite and one alarm.
 * Logic is a plain function over `ActorContext`; an adapter (Durable Object, in-process) hosts it.
 */

export type SqlValue = string | number | null | ArrayBuffer;
export type SqlRow = Record<string, SqlValue>;

export interface ActorSql {
  /** Runs one statement with positional `?` parameters and returns its rows. Throws on invalid SQL or a violated constraint. */
  exec<Row extends SqlRow = SqlRow>(statement: string, ...params: SqlValue[]): Row[];
  /** Runs `work` in one transaction; whatever it throws rolls everything back and is thrown on. */
  transaction<T>(work: () => T): T;
}

export interface ActorContext {
  /** The name under which callers reach this Actor. */
  readonly name: string;
  readonly sql: ActorSql;
  readonly alarm: {
    /** Calls the Actor's `alarm` method at `atMs` (epoch milliseconds), also after a restart; replaces an earlier one. */
    set(atMs: number): Promise<void>;
    clear(): Promise<void>;
  };
  /** Says that a piece of work is done for which nobody called, as in an alarm: what a call's end does then happens now. */
  worked(): void;
}

/** What an Actor answers to: one plain-data argument in, plain data out. Refusals are values; a throw is a defect. */
// biome-ignore lint/suspicious/noExplicitAny: a method map must accept every argument type
export type ActorMethods = Record<string, (input: any) => Promise<unknown>>;

/** A hosted Actor's logic: its public methods, and what to do when its alarm is due. */
export interface ActorLogic<Methods extends ActorMethods> {
  methods: Methods;
  alarm?(): Promise<void>;
}

/** Thrown by a stub when the Actor could not be reached or was ended during the call: what happened there is not known. */
export class ActorUnavailable extends Error {
  override readonly name = "ActorUnavailable";
}

/** Reaches Actors of one kind by name; the stub has the Actor's own methods. Each may throw {@link ActorUnavailable}. */
export interface Actors<Methods extends ActorMethods> {
  named(name: string): Methods;
}

/** What travels when a method is called: W3C trace context rides beside the argument. */
export interface ActorCall {
  method: string;
  input: unknown;
  trace: Record<string, string>;
}
