/** A stream as the server keeps it: what it checks in which order, what it remembers, and what its replicas show. */
import type { MsgHdrs } from "@nats-io/nats-core";

export interface StreamModel {
  /** A single server of 2.12 or newer checks the sequence first; older ones, and clusters, look for duplicates first. */
  readonly checks: "sequence first" | "duplicates first";
  /** Whether it knows message ids; a server that was restarted after long may not. */
  readonly duplicates: "known" | "known until a restart" | "unknown";
}

export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs;
}

export interface PublishedMessage extends Omit<StoredMessage, "seq"> {}

export type PubAnswer =
  | { readonly stream: "log"; readonly seq: number; readonly duplicate?: true }
  | { readonly error: { readonly code: number; readonly err_code: number; readonly description: string } };

export interface ModelStream {
  readonly messages: readonly StoredMessage[];
  /** Answers at once, or leaves it in process: then `apply` writes it. */
  publish(message: PublishedMessage, how: "at once" | "in process"): PubAnswer | undefined;
  /** Writes what has been in process for longest. */
  apply(): PubAnswer;
  inProcess(): readonly PublishedMessage[];
  /** What the leader shows to readers: all, unless it is new. */
  shown(): readonly StoredMessage[];
  /** Another leader, or the same one after a crash. @param behind messages that it does not show to readers yet */
  restart(behind: number): void;
}

const refused = (err_code: number, description: string): PubAnswer => ({
  error: { code: 400, err_code, description },
});

export const modelStream = ({ checks, duplicates }: StreamModel): ModelStream => {
  const messages: StoredMessage[] = [];
  const known = new Map<string, number>();
  let inProcess: PublishedMessage[] = [];
  let behind = 0;

  const lastOf = (subject: string): number =>
    messages.findLast((message) => message.subject === subject)?.seq ?? 0;
  const idOf = ({ headers }: PublishedMessage): string => headers.get("Nats-Msg-Id");

  const store = (message: PublishedMessage): PubAnswer => {
    const seq = messages.length + 1;
    messages.push({ ...message, seq });
    if (duplicates !== "unknown") known.set(idOf(message), seq);
    return { stream: "log", seq };
  };

  const duplicate = (message: PublishedMessage): PubAnswer | undefined => {
    const seq = known.get(idOf(message));
    if (seq !== undefined) return { stream: "log", seq, duplicate: true };
    const isInProcess = duplicates !== "unknown" && inProcess.some((other) => idOf(other) === idOf(message));
    return isInProcess ? refused(10158, "duplicate message id is in process") : undefined;
  };

  const outOfPlace = ({ subject, headers }: PublishedMessage): PubAnswer | undefined => {
    if (inProcess.some((other) => other.subject === subject)) return refused(10164, "wrong last sequence");
    const last = lastOf(subject);
    const expected = Number(headers.get("Nats-Expected-Last-Subject-Sequence"));
    return expected === last ? undefined : refused(10071, `wrong last sequence: ${last}`);
  };

  return {
    messages,
    publish(message, how) {
      // Who takes a write has applied what came before.
      behind = 0;
      const answer =
        checks === "sequence first"
          ? (outOfPlace(message) ?? duplicate(message))
          : (duplicate(message) ?? outOfPlace(message));
      if (answer) return answer;
      if (how === "at once") return store(message);
      inProcess.push(message);
      return undefined;
    },
    apply() {
      const [first] = inProcess;
      if (!first) throw new Error("Nothing is in process");
      inProcess = inProcess.slice(1);
      return store(first);
    },
    inProcess: () => inProcess,
    shown: () => messages.slice(0, messages.length - behind),
    restart(lag) {
      // Nobody was told of it yet: it may be lost.
      inProcess = [];
      behind = Math.min(lag, messages.length);
      if (duplicates === "known until a restart") known.clear();
    },
  };
};
