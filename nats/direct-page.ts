/** One page of a subject's messages by one batch direct get: one round trip, no consumer, answered by any replica. */
import { createInbox, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { LIMITS } from "#shared/limits.ts";
import { isServerFrom } from "./server-version.ts";

export interface DirectPage {
  /** Oldest first; any replica holds the log without gaps, but may be behind. */
  readonly messages: readonly Msg[];
  /**
   * `whole`: the server said that this is all of the page. `silent`: it stopped before. `refused`: the stream allows no
   * direct get.
   */
  readonly end: "whole" | "silent" | "refused";
}

/** Messages of one page, so that tens of MB are never on their way together; the server ends it after so many bytes, too. */
const PAGE = 1_024;
const PAGE_BYTES = 4 * 1024 * 1024;

const NO_RESPONDERS = 503;
/** That a page has ended, and that there is no such message (nats-server, `getDirectMulti` and `getDirectRequest`). */
const ENDS: ReadonlySet<number | undefined> = new Set([204, 404]);

/** By its version: an older one answers with one message, or, for a stream that allows no direct get, with nothing. */
export const offersDirectPages = ({ info }: NatsConnection): boolean =>
  isServerFrom(info?.version ?? "", [2, 11]);

/**
 * By a subscription of its own: the client library's iterators take four times as long for a thousand messages.
 * @throws the client library's error when the connection is closed
 */
export const directPage = (
  connection: NatsConnection,
  { stream, subject, from, most }: { stream: string; subject: string; from: number; most: number },
): Promise<DirectPage> =>
  new Promise((resolve) => {
    const messages: Msg[] = [];
    const end = (how: DirectPage["end"]) => {
      clearInterval(watch);
      subscription.unsubscribe();
      resolve({ messages, end: how });
    };
    const inbox = createInbox(inboxPrefixOf(connection));
    const subscription = connection.subscribe(inbox, {
      callback(error, message) {
        if (error) return end("silent");
        // No commit is empty.
        if (message.data.length === 0) {
          const code = message.headers?.code;
          return end(ENDS.has(code) ? "whole" : code === NO_RESPONDERS ? "refused" : "silent");
        }
        messages.push(message);
        // An older server of the cluster, which knows no pages: it sends no more.
        if (!message.headers?.has("Nats-Num-Pending")) end("silent");
      },
    });
    let seen = 0;
    const watch = setInterval(() => {
      if (seen === messages.length) end("silent");
      seen = messages.length;
    }, LIMITS.readRequestMs);
    void subscription.closed.then(() => end("silent"));
    const query = { seq: from, next_by_subj: subject, batch: Math.min(most, PAGE), max_bytes: PAGE_BYTES };
    connection.publish(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(query), { reply: inbox });
  });

/** The client library keeps to itself where a connection's answers may come to; its own JetStream client asks it the same way. */
const inboxPrefixOf = (connection: NatsConnection): string | undefined =>
  (connection as NatsConnection & { readonly options?: { readonly inboxPrefix?: string } }).options
    ?.inboxPrefix;

/** Where the message stands in its stream, and on which subject. */
export const directPlace = ({ headers }: Msg): { subject: string; seq: number } => ({
  subject: headers?.get("Nats-Subject") ?? "",
  seq: Number(headers?.get("Nats-Sequence")),
});
