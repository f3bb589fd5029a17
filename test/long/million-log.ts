/** The log of a million events: a hundred thousand accounts that get money, as fast as it can be written. */
import { type JetStreamClient, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { encodeCommit } from "#nats/envelope.ts";
import { logStreamConfig } from "#nats/streams.ts";
import { commitSubject } from "#nats/subjects.ts";
import type { Aggregate } from "#shared/cqrs/aggregate.ts";
import type { DomainEvent } from "#shared/events/event.ts";
import { ok } from "#shared/result.ts";

export const SERVICE = "accounts";
export const AGGREGATES = 100_000;
const COMMITS_EACH = 2;
export const EVENTS_A_COMMIT = 5;
export const EVENTS_EACH = COMMITS_EACH * EVENTS_A_COMMIT;
export const EVENTS = AGGREGATES * EVENTS_EACH;
export const COMMITS = AGGREGATES * COMMITS_EACH;
const TENTHS = 10;
const WRITTEN_TOGETHER = 500;

export const idOf = (aggregate: number) => `account-${aggregate}`;
/** @param version of the event, from 1 */
const amountOf = (aggregate: number, version: number) => (aggregate % 97) + version;

const write = async (client: JetStreamClient, aggregate: number, commit: number): Promise<void> => {
  const ref = { type: "account", id: idOf(aggregate) };
  const expectedVersion = commit * EVENTS_A_COMMIT;
  const { payload, headers } = encodeCommit(SERVICE, {
    aggregate: ref,
    expectedPosition: 0,
    expectedVersion,
    commandId: `${ref.id}-${commit}`,
    at: Date.UTC(2026, 0, 1),
    events: Array.from({ length: EVENTS_A_COMMIT }, (_, index) => ({
      type: "MoneyReceived",
      data: { accountId: ref.id, amount: amountOf(aggregate, expectedVersion + index + 1) },
    })),
    trace: {},
  });
  await client.publish(commitSubject(SERVICE, ref), payload, { headers, timeout: 30_000 });
};

/** What its events are to come to. */
export const account: Aggregate<{ events: number; total: number }, object, DomainEvent> = {
  type: "account",
  initialState: () => ({ events: 0, total: 0 }),
  evolve: ({ events, total }, { data }) => ({
    events: events + 1,
    total: total + (data as { amount: number }).amount,
  }),
  decide: () => ok([]),
};

/** Of all accounts. */
export const totalOfAll = (): number => {
  let total = 0;
  for (let aggregate = 0; aggregate < AGGREGATES; aggregate++) {
    for (let version = 1; version <= EVENTS_EACH; version++) total += amountOf(aggregate, version);
  }
  return total;
};

/**
 * Tenth by tenth: all first commits of its accounts, then all second ones.
 * @param tenthWritten is told how many accounts there are then, and waited for
 */
export const writeMillion = async (
  natsUrl: string,
  tenthWritten: (accounts: number) => Promise<void>,
): Promise<void> => {
  const connection = await connect({ servers: natsUrl, noAsyncTraces: true });
  try {
    await (await jetstreamManager(connection)).streams.add(logStreamConfig(SERVICE));
    const client = jetstream(connection);
    for (let tenth = 0; tenth < TENTHS; tenth++) {
      const end = ((tenth + 1) * AGGREGATES) / TENTHS;
      for (let commit = 0; commit < COMMITS_EACH; commit++) {
        let next = (tenth * AGGREGATES) / TENTHS;
        const lane = async () => {
          while (next < end) await write(client, next++, commit);
        };
        await Promise.all(Array.from({ length: WRITTEN_TOGETHER }, lane));
      }
      await tenthWritten(end);
    }
  } finally {
    await connection.close();
  }
};
