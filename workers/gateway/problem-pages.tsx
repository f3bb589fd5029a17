/** What a problem's `type` address shows to people. */
import { PageLayout } from "./page-layout.tsx";
import type { RegisteredProblem } from "./problem-registry.ts";

export const ProblemPage = ({ problem, nonce }: { problem: RegisteredProblem; nonce: string }) => (
  <PageLayout title={problem.code} lead={`${problem.title}.`} nonce={nonce}>
    <dl>
      <dt>Status</dt>
      <dd>{problem.status}</dd>
      <dt>Answered by</dt>
      <dd>{ownerName(problem)}</dd>
      <dt>What to do</dt>
      <dd>{advice(problem)}</dd>
    </dl>
    <p>
      <a href="/problems">All problems</a>
    </p>
  </PageLayout>
);

interface ProblemListProps {
  readonly problems: readonly RegisteredProblem[];
  readonly nonce: string;
}

export const ProblemListPage = ({ problems, nonce }: ProblemListProps) => (
  <PageLayout title="Problems" lead="Every way in which a request can fail, by its type." nonce={nonce}>
    <div class="scroll">
      <table>
        <caption>
          The <code>type</code> of a problem is <code>/problems/</code> and its code.
        </caption>
        <thead>
          <tr>
            <th scope="col">Code</th>
            <th scope="col">Status</th>
            <th scope="col">Meaning</th>
            <th scope="col" class="beside">
              Answered by
            </th>
            <th scope="col" class="beside">
              Try again
            </th>
          </tr>
        </thead>
        <tbody>
          {problems.map((problem) => (
            <tr>
              <td>
                <a href={`/problems/${problem.code}`}>
                  <code>
                    <Breakable code={problem.code} />
                  </code>
                </a>
              </td>
              <td>{problem.status}</td>
              <td>{problem.title}</td>
              <td class="beside">{ownerName(problem)}</td>
              <td class="beside">{problem.retryable ? "yes" : "no"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </PageLayout>
);

/** May go on in the next line after each of its words, where the screen is narrow. */
const Breakable = ({ code }: { code: string }) => {
  const [first, ...words] = code.split("_");
  return (
    <>
      {first}
      {words.map((word) => (
        <>
          _<wbr />
          {word}
        </>
      ))}
    </>
  );
};

const ownerName = ({ owner }: RegisteredProblem): string => (owner === "platform" ? "any service" : owner);

const advice = ({ retryable, status }: RegisteredProblem): string => {
  if (retryable)
    return "Send the same request again after the seconds in Retry-After, with the same Idempotency-Key.";
  return status < 500
    ? "Change the request: the same one will be refused again."
    : "Tell the operators, with the X-Request-Id of the answer.";
};
