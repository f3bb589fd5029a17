/** A process of two tenants whose trips have the same ids: what befalls one of them does not concern the other. */
import { expect, test } from "vitest";
import { appendTo } from "#shared/events/append-to.ts";
import { tenantCommands } from "#shared/tenants/tenant-commands.ts";
import { PATIENCE_MS } from "./trip-process.ts";
import { start } from "./trip-run.ts";

const NEVER = () => 1;

/** Acme's flight is booked in time; nobody ever answers its rival. */
const booked = async (refused: readonly string[] = []) => {
  const run = await start({ choose: NEVER, faults: 0, scoped: tenantCommands }, ({ does }) =>
    refused.includes(does),
  );
  const tell = (tenant: string, type: string) =>
    appendTo(run.others, {
      aggregate: { type: "world", id: `${tenant}.t1` },
      events: [{ type, data: { tripId: "t1" } }],
      at: run.time.clock(),
      trace: {},
      metadata: { tenant },
      commandId: type,
      expected: "any",
    });
  for (const tenant of ["acme", "rival"]) {
    const command = { event: "TripAsked", tripId: "t1" };
    const asked = { type: "trip", id: "t1", command, commandId: "asked", metadata: { tenant } };
    expect(await run.execute(asked)).toMatchObject({ ok: true });
  }
  await run.time.pass(1_000);
  await tell("acme", "HotelBooked");
  await run.time.pass(1_000);
  await tell("acme", "FlightBooked");
  await run.time.pass(PATIENCE_MS * 2);
  return run;
};

const did = async ({ commits }: Awaited<ReturnType<typeof booked>>, tenant: string) =>
  (await commits()).flatMap(({ aggregate: { id }, events }) =>
    id.startsWith(`${tenant}.`) ? events.flatMap(({ data }) => (data as { does?: string }).does ?? []) : [],
  );

test("an instance of each tenant goes its own way, with a timeout of its own", async () => {
  const run = await booked();
  expect(await did(run, "acme")).toEqual(["BookHotel", "BookFlight", "NoteGuest"]);
  expect(await did(run, "rival")).toEqual(["BookHotel", "Apologise", "CancelHotel"]);
  const strangers = (await run.commits()).filter(
    ({ aggregate, metadata }) => !aggregate.id.startsWith(`${metadata.tenant}.`),
  );
  expect(strangers).toEqual([]);
  expect(await run.parked()).toEqual([]);
});

test("ids of what is sent and scheduled are no other tenant's", async () => {
  const commits = await (await booked()).commits();
  const ids = commits.flatMap(({ events }) =>
    events.flatMap(({ data }) => {
      const { sends = [], schedules = [] } = data as Record<string, { id: string }[]>;
      return [...sends, ...schedules].map(({ id }) => id);
    }),
  );
  expect(ids.length).toBeGreaterThan(5);
  expect(new Set(ids).size).toBe(ids.length);
});
