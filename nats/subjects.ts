/** The only place where a subject or a stream's name is written or read. */
import { AGGREGATE_ID, type AggregateRef } from "#shared/events/event.ts";

/** The stream that is a service's log. */
export const logStream = (service: string): string => `log-${service}`;

/** Everything in a service's log. */
export const logSubjects = (service: string): string => `log.${service}.>`;

/**
 * The subject of one aggregate's commits.
 * @throws RangeError when the type or id is not one safe token: a wildcard here would touch others' history.
 */
export const commitSubject = (service: string, { type, id }: AggregateRef): string => {
  for (const token of [type, id]) {
    if (!AGGREGATE_ID.test(token)) {
      throw new RangeError(
        `Cannot name the history of "${token.slice(0, 80)}": expected 1 to 64 letters, digits, "_" or "-"`,
      );
    }
  }
  return `log.${service}.${type}.${id}`;
};

/** The aggregate whose commit came on this subject. @throws RangeError for a subject of another form */
export const parseCommitSubject = (subject: string): AggregateRef => {
  const [log, , type, id, more] = subject.split(".");
  if (log !== "log" || type === undefined || id === undefined || more !== undefined) {
    throw new RangeError(
      `Cannot tell the aggregate of subject "${subject}": expected log.<service>.<type>.<id>`,
    );
  }
  return { type, id };
};
