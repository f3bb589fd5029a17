/** What a process writes for each event that it handles: all that has to follow from it, so that nothing has to be decided twice. */
import * as z from "zod";
import { idField, timeField } from "../events/event-fields.ts";
import { type EventOf, type EventTypes, event } from "../events/event-types.ts";

const commandField = z.strictObject({
  /** As the definition calls it. */
  name: z.string(),
  /** Aggregate of the own service. */
  type: idField,
  aggregateId: idField,
  command: z.record(z.string(), z.unknown()),
});

/** Aggregate `process-<name>`, id: the instance. Every service with process managers has it among its events. */
export const PROCESS_EVENTS = {
  /** The first event of its commit; the process' own events come after it. */
  ProcessReacted: event({
    process: idField,
    /** Id of the event that was handled. */
    handled: z.string(),
    /** What it was: `orders.OrderPlaced`, `timeout payment`, `refused ReserveStock`. */
    trigger: z.string(),
    from: z.string(),
    to: z.string(),
    /** In this order. `undoes`: id of the command that this one takes back. */
    sends: z.array(commandField.extend({ id: z.string(), undoes: z.string().optional() })),
    /** How what is sent is taken back, should the process fail; `of` is the command's id. */
    undo: z.array(commandField.extend({ of: z.string() })),
    schedules: z.array(z.strictObject({ timeout: z.string(), id: z.string(), at: timeField })),
    /** Ids of timeouts. */
    cancels: z.array(z.string()),
    /** Id of the command that was refused. */
    refused: z.string().optional(),
  }),
} as const satisfies EventTypes;

export type ProcessReacted = EventOf<typeof PROCESS_EVENTS>;
