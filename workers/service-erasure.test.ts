/** Forgetting as a whole: commands, the log on a NATS server, the read model and its rebuild, and crashes between the steps. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { natsConnector } from "#nats/connection.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { logStreamConfig } from "#nats/streams.ts";
import { logStream } from "#nats/subjects.ts";
import type { Aggregate } from "#shared/cqrs/aggregate.ts";
import {
  type Aggregates,
  type CommandMethods,
  type CommandRequest,
  commandActor,
} from "#shared/cqrs/command-actor.ts";
import { commands } from "#shared/cqrs/commands.ts";
import type { Projection } from "#shared/cqrs/projection.ts";
import { actorSubjectKeys } from "#shared/erasure/actor-subject-keys.ts";
import { addForgottenRoute } from "#shared/erasure/forgotten-route.ts";
import { personal } from "#shared/erasure/personal.ts";
import { SUBJECT_EVENTS, type SubjectEvent } from "#shared/erasure/subject.ts";
import type { SubjectKeys } from "#shared/erasure/subject-keys.ts";
import { type SubjectKeysMethods, subjectKeysActor } from "#shared/erasure/subject-keys-actor.ts";
import type { DomainEvent } from "#shared/events/event.ts";
import { idField } from "#shared/events/event-fields.ts";
import { type EventOf, event } from "#shared/events/event-types.ts";
import { createServiceApp } from "#shared/http/service-app.ts";
import { err, ok } from "#shared/result.ts";
import { type Actors, ActorUnavailable } from "#shared/runtime/actor.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { testActorContext } from "#test/fake/actor-context.ts";
import { memoryReadStore } from "#test/fake/memory-read-store.ts";
import { testProjectors } from "#test/fake/projectors.ts";
import { startNats, type TestNats } from "#test/setup/nats.ts";
import { serviceErasure } from "./service-erasure.ts";

const EVENTS = {
  ...SUBJECT_EVENTS,
  Ordered: event({ customer: idField, address: personal(z.string(), { subject: "customer" }) }),
};
type Event = EventOf<typeof EVENTS>;
interface Order {
  readonly customer: string;
  readonly address: string | null;
}

/** Keeps all that it is told, to show what a state can hold. */
const order: Aggregate<readonly (string | null)[], Order, Event> = {
  type: "order",
  initialState: () => [],
  evolve: (seen, { data }) => ("address" in data ? [...seen, data.address] : seen),
  decide: ({ customer, address }) => ok([{ type: "Ordered", data: { customer, address } }]),
  snapshot: { version: 1, every: 1 },
};

const orders: Projection = {
  name: "orders",
  tables: ["orders"],
  changes(commits) {
    const events = commits.flatMap(({ aggregate, events }) =>
      (events as readonly (Event | SubjectEvent)[]).map((event) => ({ id: aggregate.id, event })),
    );
    return events.map(({ id, event: { type, data } }) =>
      type === "Ordered"
        ? { change: "upsert", table: "orders", key: ["id"], rows: [{ id, ...data }] }
        : {
            change: "set",
            table: "orders",
            key: ["customer"],
            rows: [{ customer: data.subject, address: null }],
          },
    );
  },
};

const CLEAR = "12 Analytical Row";

let nats: TestNats;
let connection: NatsConnection;
beforeAll(async () => {
  nats = await startNats();
  connection = await connect({ servers: nats.url });
});
afterAll(async () => {
  await connection?.close();
  await nats?.dispose();
});

let services = 0;
const closing: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

const setUp = async () => {
  const name = `orders-${++services}`;
  const manager = await jetstreamManager(connection);
  await manager.streams.add(logStreamConfig(name));
  const connector = natsConnector({ url: nats.url, name, clock: systemClock });
  closing.push(() => connector.close());
  const raw = jetStreamEventLog({ service: name, connector, clock: systemClock });

  const keeping = subjectKeysActor({ context: testActorContext(), sealer: undefined, clock: systemClock });
  const keepers: Actors<SubjectKeysMethods> = { named: () => keeping.methods };
  const SUBJECT_KEYS = {
    getByName: () => ({
      call: ({ method, input }: { method: keyof SubjectKeysMethods; input: never }) =>
        keeping.methods[method](input),
    }),
  } as unknown as DurableObjectNamespace;
  const erasure = serviceErasure({
    name,
    events: EVENTS,
    aggregates: { order } as unknown as Aggregates,
    projections: [orders],
  });
  const logs = () => erasure.ownLogs(raw, { SUBJECT_KEYS });

  const context = testActorContext();
  const shard = (of = context): CommandMethods =>
    commandActor({
      context: of,
      ...logs(),
      aggregates: erasure.aggregates,
      clock: systemClock,
      random: () => 0,
      sleep,
    }).methods;
  let standing = shard();
  const sent = commands({ actors: { named: () => standing }, shards: 1 });
  const cut: { keys: boolean; commands: boolean } = { keys: false, commands: false };
  const lost = () => new ActorUnavailable("the answer was lost");
  const keys: SubjectKeys = actorSubjectKeys(keepers);

  const app = createServiceApp({ name, major: 1, description: "", problems: {}, readiness: [] });
  addForgottenRoute(app, {
    service: name,
    forgetting: () => ({
      keys: {
        async forget(subject) {
          await keys.forget(subject);
          if (cut.keys) throw lost();
        },
      },
      commands: {
        async execute<Decided extends DomainEvent>(request: CommandRequest) {
          const executed = await sent.execute<Decided>(request);
          return cut.commands ? err({ code: "unavailable", detail: "cut" }) : executed;
        },
      },
    }),
  });
  return {
    name,
    logs,
    raw,
    cut,
    snapshots: () => JSON.stringify(context.sql.exec("SELECT * FROM snapshot")),
    restart: () => {
      standing = shard(context);
    },
    place: (id: string, customer: string, address: string | null = CLEAR, commandId = `place-${id}`) =>
      sent.execute<Event>({ type: "order", id, commandId, command: { customer, address } }),
    state: (id: string) => standing.state({ type: "order", id }),
    history: (id: string) => sent.history({ type: "order", id }),
    forget: (subject: string) =>
      app.request(`/${name}/v1/forgotten`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ subject }),
      }),
    /** All bytes of the stream, as text. */
    async stored() {
      const all: string[] = [];
      const { state } = await manager.streams.info(logStream(name));
      for (let seq = 1; seq <= state.last_seq; seq++) {
        const message = await manager.streams.getMessage(logStream(name), { seq });
        all.push(new TextDecoder().decode(message?.data), message?.header.toString() ?? "");
      }
      return all.join("\n");
    },
  };
};
type Service = Awaited<ReturnType<typeof setUp>>;

let service: Service;
beforeEach(async () => {
  service = await setUp();
});

/** A read model, as far as the log goes now. */
const project = ({ logs, raw }: Pick<Service, "logs" | "raw">) => {
  const { store, rows } = memoryReadStore("orders");
  const projectors = testProjectors({ projection: orders, log: logs().shown, store });
  return async () => {
    const position = await raw.lastPosition();
    await projectors.projection.wake({});
    await expect
      .poll(async () => {
        await projectors.time.pass(1_000);
        return store.checkpoint("orders");
      })
      .toBe(position);
    return rows("orders");
  };
};

describe("forgetting", () => {
  it("takes personal values from the read model, from histories and from a rebuild; the log never had them", async () => {
    const placed = await service.place("o1", "ada");
    await service.place("o2", "bob");
    // Who asked for it is answered with it.
    expect(placed.ok && placed.value.events[0]?.data).toEqual({ customer: "ada", address: CLEAR });
    const shown = project(service);
    expect(await shown()).toEqual([
      { id: "o1", customer: "ada", address: CLEAR },
      { id: "o2", customer: "bob", address: CLEAR },
    ]);
    const answer = await service.forget("ada");
    expect([answer.status, await answer.json()]).toEqual([200, { subject: "ada", position: 3 }]);
    const forgotten = [
      { id: "o1", customer: "ada", address: null },
      { id: "o2", customer: "bob", address: CLEAR },
    ];
    expect(await shown()).toEqual(forgotten);
    expect(await project(service)()).toEqual(forgotten);
    service.restart();
    const history = await service.history("o1");
    expect(history.ok && history.value[0]?.events[0]?.data).toEqual({ customer: "ada", address: null });
    expect(await service.stored()).not.toContain(CLEAR);
  });

  it("finds nothing in states and snapshots: they never hold a personal value", async () => {
    await service.place("o1", "ada");
    const inMemory = await service.state("o1");
    expect(inMemory.ok && inMemory.value.json).toBe("[null]");
    await expect.poll(service.snapshots).toContain("order/o1");
    expect(service.snapshots()).not.toContain(CLEAR);
    service.restart();
    const fromSnapshot = await service.state("o1");
    expect(fromSnapshot.ok && fromSnapshot.value.json).toBe("[null]");
  });

  it("is one event however often it is asked for, at the same position", async () => {
    await service.place("o1", "ada");
    for (let time = 0; time < 3; time++) {
      expect(await (await service.forget("ada")).json()).toEqual({ subject: "ada", position: 2 });
      service.restart();
    }
    expect(await service.raw.lastPosition()).toBe(2);
  });

  it.each(["keys", "commands"] as const)(
    "that was cut off after the step of %s is finished by who repeats it, and shows nothing meanwhile",
    async (step) => {
      await service.place("o1", "ada");
      service.cut[step] = true;
      expect((await service.forget("ada")).status).toBe(503);
      expect(await project(service)()).toEqual([{ id: "o1", customer: "ada", address: null }]);
      service.cut[step] = false;
      expect(await (await service.forget("ada")).json()).toEqual({ subject: "ada", position: 2 });
      expect(await service.raw.lastPosition()).toBe(2);
    },
  );

  it("refuses later commands with something personal of the same subject, and takes others", async () => {
    await service.forget("ada");
    expect(await service.place("o1", "ada")).toMatchObject({ error: { code: "subject_forgotten" } });
    expect(await service.place("o1", "ada", null)).toMatchObject({ ok: true });
  });

  it("answers who repeats a command from before with what is left", async () => {
    await service.place("o1", "ada");
    await service.forget("ada");
    service.restart();
    const again = await service.place("o1", "ada");
    expect(again.ok && again.value).toMatchObject({
      duplicate: true,
      events: [{ data: { customer: "ada", address: null } }],
    });
  });
});

describe("a service with personal fields", () => {
  const declared = { name: "x", events: EVENTS, aggregates: {}, projections: [] };

  it("does not start without the event that tells of forgetting, nor with a projection that parks", () => {
    const { SubjectForgotten: _, ...without } = EVENTS;
    expect(() => serviceErasure({ ...declared, events: without })).toThrow('expected "SubjectForgotten"');
    const parks: Projection = { ...orders, onFailure: "park" };
    expect(() => serviceErasure({ ...declared, projections: [parks] })).toThrow('"orders" would keep');
  });

  it("names the binding that it lacks; one without them needs none", () => {
    expect(serviceErasure(declared).missing({})).toEqual(["SUBJECT_KEYS"]);
    expect(serviceErasure({ ...declared, events: {} }).missing({})).toEqual([]);
  });
});
