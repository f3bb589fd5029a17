import { describe, expect, it } from "vitest";
import type { DomainEvent } from "../events/event.ts";
import { type AnyProcessManager, type ProcessStep, processManager } from "./process-manager.ts";
import { due, happened, reactingProcess, refused } from "./process-manager-specification.ts";

type Step = ProcessStep<{ notes: number }, DomainEvent, TripEvent, { patienceMs: number }>;
interface TripEvent extends DomainEvent {
  readonly data: { readonly tripId: string };
}

const command = (name: string, to: string, undoneBy?: string) => ({
  name,
  to,
  command: ({ instance }: { instance: string }) => ({ id: `${to}-${instance}`, command: { does: name } }),
  ...(undoneBy !== undefined && {
    undo: {
      name: undoneBy,
      to,
      command: ({ instance }: { instance: string }) => ({
        id: `${to}-${instance}`,
        command: { does: undoneBy },
      }),
    },
  }),
});

const STEPS: readonly Step[] = [
  {
    in: ["start"],
    on: ["trips.TripAsked"],
    to: "hotel asked",
    sends: [command("BookHotel", "hotel", "CancelHotel")],
    schedules: [{ timeout: "patience", afterMs: ({ settings }) => settings.patienceMs }],
  },
  {
    in: ["hotel asked"],
    on: ["hotels.HotelBooked"],
    to: "flight asked",
    sends: [command("BookFlight", "flight", "CancelFlight"), command("Tell", "guest")],
    schedules: [{ timeout: "patience", at: () => Date.parse("2026-01-31T12:00:01.000Z") }],
    records: () => [{ type: "Noted", data: {} }],
  },
  {
    in: ["flight asked"],
    on: ["trips.Asked"],
    when: { says: "noted", holds: ({ state }) => state.notes > 0 },
    to: "flight asked",
    cancels: ["patience"],
  },
  {
    in: ["flight asked"],
    on: [{ refused: "BookFlight" }, { timeout: "patience" }, "trips.TripCancelled"],
    to: "given up",
    sends: [command("Apologise", "guest")],
    compensates: true,
  },
  { in: ["flight asked"], on: ["flights.FlightBooked"], to: "booked" },
];

const trip = (steps: readonly Step[] = STEPS): AnyProcessManager =>
  processManager<{ notes: number }, DomainEvent, TripEvent, { patienceMs: number }>({
    name: "trip",
    service: "trips",
    purpose: "Books a trip.",
    instanceOf: ({ data }) => data.tripId,
    initialState: () => ({ notes: 0 }),
    evolve: ({ notes }) => ({ notes: notes + 1 }),
    steps,
  }) as AnyProcessManager;

const { given, when } = reactingProcess(trip(), { patienceMs: 5_000 });
const asked = happened("trips.TripAsked", { tripId: "t" });
const hotelBooked = happened("hotels.HotelBooked", { tripId: "t" });
const toInstance = (name: string, to: string) => ({
  sends: name,
  to,
  id: `${to}-instance`,
  command: { does: name },
});

describe("a step", () => {
  it("sends its commands and starts its timeouts as the settings are", () =>
    when(asked).does([
      { enters: "hotel asked" },
      toInstance("BookHotel", "hotel"),
      { starts: "patience", inMs: 5_000 },
    ]));

  it("replaces a running timeout of the same name, and records own events", () =>
    given([asked])
      .when(hotelBooked)
      .does([
        { enters: "flight asked" },
        toInstance("BookFlight", "flight"),
        toInstance("Tell", "guest"),
        { starts: "patience", inMs: 1_000 },
        { cancels: "patience" },
        { records: { type: "Noted", data: {} } },
      ]));

  it("is taken when its condition on the folded state holds", () =>
    given([asked, hotelBooked])
      .when(happened("trips.Asked", { tripId: "t" }))
      .does([{ cancels: "patience" }]));

  it("that nothing leads out of cancels what runs", () =>
    given([asked, hotelBooked])
      .when(happened("flights.FlightBooked", { tripId: "t" }))
      .does([{ enters: "booked" }, { cancels: "patience" }]));

  it("is not taken in another state, and an instance that has ended does nothing more", () => {
    when(hotelBooked).changesNothing();
    const booked = happened("flights.FlightBooked", { tripId: "t" });
    given([asked, hotelBooked, booked]).when(asked).changesNothing();
  });
});

describe("a failure", () => {
  it("takes back what was sent, the newest first, after what the step itself sends", () =>
    given([asked, hotelBooked])
      .when(due("patience"))
      .does([
        { enters: "given up" },
        toInstance("Apologise", "guest"),
        toInstance("CancelFlight", "flight"),
        toInstance("CancelHotel", "hotel"),
      ]));

  it("does not take back what was refused", () =>
    given([asked, hotelBooked])
      .when(refused("BookFlight", "full"))
      .does([
        { enters: "given up" },
        toInstance("Apologise", "guest"),
        toInstance("CancelHotel", "hotel"),
        { cancels: "patience" },
      ]));

  it("takes nothing back a second time when it goes on failing", () => {
    const twice = trip([
      ...STEPS,
      { in: ["given up"], on: ["trips.TripForgotten"], to: "forgotten", compensates: true },
    ]);
    reactingProcess(twice, { patienceMs: 5_000 })
      .given([asked, hotelBooked, happened("trips.TripCancelled", { tripId: "t" })])
      .when(happened("trips.TripForgotten", { tripId: "t" }))
      .does([{ enters: "forgotten" }, { cancels: "patience" }]);
  });

  it("does not happen by a timeout that was replaced or cancelled", () => {
    const again = happened("trips.Asked", { tripId: "t" });
    given([asked, hotelBooked, again]).when(due("patience")).changesNothing();
  });
});

describe("a definition is refused", () => {
  const [first, ...rest] = STEPS as readonly [Step, ...Step[]];
  it.each<[string, readonly Step[], string]>([
    ["whose states are not reached", rest, 'no step leads to the state "hotel asked"'],
    [
      "whose timeouts are not started",
      [
        { ...first, schedules: [] },
        { ...first, on: [{ timeout: "x" }] },
      ],
      '"x"',
    ],
    ["that cancels what it never starts", [{ ...first, cancels: ["x"] }], 'the timeout "x"'],
    ["whose refusals nobody can tell of", [{ ...first, on: [{ refused: "x" }] }], 'nothing sends "x"'],
    ["that compensates nothing", [{ ...first, sends: [], compensates: true }], "takes it back"],
    ["whose events have no service", [{ ...first, on: ["TripAsked"] }], '"<service>.<Type>"'],
  ])("%s", (_, steps, reason) => expect(() => trip(steps)).toThrow(reason));

  it("whose name could not name its aggregates", () =>
    expect(() => processManager({ ...trip(), name: "Trip one" })).toThrow("lower case"));
});
