/** The only place where a subject or a stream's name is written or read. */
import { type AggregateRef, assertAggregateRef } from "#shared/events/event.ts";

/** The stream that is a service's log. */
export const logStream = (service: string): string => `log-${service}`;

/** Users of the server that are no service with a log; a service's user has its name. */
export const CONTROL_USER = "control";
export const PROCESS_USER = "process";
export const DEPLOY_USER = "deploy";

/** Where the answers to one user's requests come to: of its own, because whoever may listen to all inboxes hears everybody's. */
export const inboxPrefix = (user: string): string => `_INBOX.${user}`;

/** Everything in a service's log. */
export const logSubjects = (service: string): string => `log.${service}.>`;

/** The subject of one aggregate's commits. @throws RangeError when the type or id is not one safe token */
export const commitSubject = (service: string, aggregate: AggregateRef): string => {
  assertAggregateRef(aggregate);
  return `log.${service}.${aggregate.type}.${aggregate.id}`;
};

/** The stream of a service's snapshots. */
export const snapshotStream = (service: string): string => `snap-${service}`;

/** All snapshots of a service. */
export const snapshotSubjects = (service: string): string => `snap.${service}.>`;

/** The subject of one aggregate's snapshot. @throws RangeError when the type or id is not one safe token */
export const snapshotSubject = (service: string, aggregate: AggregateRef): string => {
  assertAggregateRef(aggregate);
  return `snap.${service}.${aggregate.type}.${aggregate.id}`;
};

/** Where a topic or request of this address is sent: core NATS, no stream keeps it. */
export const messageSubject = (address: string): string => `msg.${address}`;

/** Where long-lived processes hear of a new epoch of the control plane: core NATS, no stream keeps it. */
export const EPOCH_SUBJECT = "skerry.control.epoch";

/** The aggregate whose commit came on this subject. @throws RangeError for a subject of another form */
export const parseCommitSubject = (subject: string): AggregateRef => {
  const [log, , type, ...tokens] = subject.split(".");
  if (log !== "log" || type === undefined || tokens.length < 1 || tokens.length > 2) {
    throw new RangeError(
      `Cannot tell the aggregate of subject "${subject}": expected log.<service>.<type>.<id> or log.<service>.<type>.<tenant>.<id>`,
    );
  }
  return { type, id: tokens.join(".") };
};
