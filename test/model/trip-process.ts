/** The process that the simulation runs: books a hotel, then a flight, each with its undoing, within a time. */
import type { Aggregate } from "#shared/cqrs/aggregate.ts";
import { processManager } from "#shared/cqrs/process-manager.ts";
import type { DomainEvent } from "#shared/events/event.ts";
import { err, ok } from "#shared/result.ts";

interface AboutATrip extends DomainEvent {
  readonly data: { readonly tripId: string };
}

/** What a booking is told, each under a command id of its own. */
export interface BookingCommand {
  readonly does: string;
  readonly tripId: string;
}

export const PATIENCE_MS = 20_000;

const booking = (name: string, to: string, id: string) => ({
  name,
  to,
  command: () => ({ id: `${to}-${id}`, command: { does: name, tripId: id } satisfies BookingCommand }),
});
const send = (name: string, to: string, undoneBy?: string) => ({
  name,
  to,
  command: ({ instance }: { readonly instance: string }) => booking(name, to, instance).command(),
  ...(undoneBy !== undefined && {
    undo: {
      name: undoneBy,
      to,
      command: ({ instance }: { readonly instance: string }) => booking(undoneBy, to, instance).command(),
    },
  }),
});

export const tripProcess = processManager<null, DomainEvent, AboutATrip, null>({
  name: "trip",
  service: "trips",
  purpose: "Books a hotel and a flight, or neither.",
  instanceOf: ({ data }) => data.tripId,
  initialState: () => null,
  evolve: (state) => state,
  steps: [
    {
      in: ["start"],
      on: ["trips.TripAsked"],
      to: "booking hotel",
      sends: [send("BookHotel", "hotel", "CancelHotel")],
      schedules: [{ timeout: "patience", afterMs: () => PATIENCE_MS }],
    },
    {
      in: ["booking hotel"],
      on: ["world.HotelBooked"],
      to: "booking flight",
      sends: [send("BookFlight", "flight", "CancelFlight"), send("NoteGuest", "guest")],
      schedules: [{ timeout: "patience", afterMs: () => PATIENCE_MS }],
    },
    { in: ["booking flight"], on: ["world.FlightBooked"], to: "booked" },
    {
      in: ["booking hotel", "booking flight"],
      on: [{ timeout: "patience" }, { refused: "BookFlight" }, "trips.TripCancelled"],
      to: "given up",
      sends: [send("Apologise", "guest")],
      compensates: true,
    },
  ],
});

/**
 * Writes down every command that it takes: one that took effect twice would stand there twice.
 * @param refuses asked each time, so that one command may be refused now and taken later
 */
export const booked = (
  type: "hotel" | "flight" | "guest",
  refuses: (command: BookingCommand) => boolean,
): Aggregate<number, BookingCommand, DomainEvent> => ({
  type,
  initialState: () => 0,
  evolve: (count) => count + 1,
  decide: (command) =>
    refuses(command)
      ? err({ code: "not_possible", detail: `"${command.does}" is not possible for "${command.tripId}"` })
      : ok([{ type: "Took", data: { does: command.does, tripId: command.tripId } }]),
});

/** A client's: asked, and perhaps cancelled. */
export const trip: Aggregate<
  number,
  { readonly event: "TripAsked" | "TripCancelled"; readonly tripId: string },
  DomainEvent
> = {
  type: "trip",
  initialState: () => 0,
  evolve: (count) => count + 1,
  decide: ({ event, tripId }) => ok([{ type: event, data: { tripId } }]),
};
