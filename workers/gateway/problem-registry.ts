/** Every problem type that a client of the system can meet: the platform's and each service's. */
import { PLATFORM_PROBLEMS, type ProblemTable, type ProblemType } from "#shared/http/errors.ts";
import { SERVICES } from "./routes.ts";

export interface RegisteredProblem extends ProblemType {
  readonly code: string;
  /** The service that answers it; "platform" for what every one of them may answer. */
  readonly owner: string;
}

const entriesOf = (owner: string, table: ProblemTable): RegisteredProblem[] =>
  Object.entries(table).map(([code, type]) => ({ code, owner, ...type }));

/** By owner, in the order of their tables. Codes are unique in the whole system: `type` URLs name them without the service. */
export const REGISTERED_PROBLEMS: readonly RegisteredProblem[] = [
  ...entriesOf("platform", PLATFORM_PROBLEMS),
  ...SERVICES.flatMap(({ name, problems }) => entriesOf(name, problems)),
];

export const registeredProblem = (code: string): RegisteredProblem | undefined =>
  REGISTERED_PROBLEMS.find((problem) => problem.code === code);
