/** The data subject as an aggregate of the service's log: all that is recorded of it there is that it was forgotten. */
import type { Aggregate } from "../cqrs/aggregate.ts";
import type { DomainEvent } from "../events/event.ts";
import { idField } from "../events/event-fields.ts";
import { type EventOf, type EventTypes, event } from "../events/event-types.ts";
import { ok } from "../result.ts";

/** To be among the events of each service with personal fields; aggregate `subject`, id: subject. */
export const SUBJECT_EVENTS = {
  /** The subject's key is gone: whoever keeps personal values of it removes them. */
  SubjectForgotten: event({ subject: idField }),
} as const satisfies EventTypes;

export type SubjectEvent = EventOf<typeof SUBJECT_EVENTS>;

interface ForgetSubject {
  readonly subject: string;
}

type SubjectState = "known" | "forgotten";

export const subjectAggregate: Aggregate<SubjectState, ForgetSubject, SubjectEvent> = {
  type: "subject",
  initialState: () => "known",
  evolve: () => "forgotten",
  decide: ({ subject }, state) =>
    ok(state === "forgotten" ? [] : [{ type: "SubjectForgotten", data: { subject } }]),
};

/** Who an event says was forgotten. */
export const forgottenBy = ({ type, data }: DomainEvent): string | undefined =>
  type === "SubjectForgotten" && "subject" in data && typeof data.subject === "string"
    ? data.subject
    : undefined;
