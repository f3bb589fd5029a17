/** One bounded request to the control plane, and what its refusals mean to a person and to a program that called us. */
import type { FieldFault, Problem } from "#shared/http/problem.ts";
import { CliFailure } from "./failure.ts";

export interface ControlAddress {
  /** The gateway's address, without a slash at the end. */
  readonly url: string;
  /** Bearer token; absent: none is sent. */
  readonly token?: string | undefined;
  readonly fetch?: typeof fetch;
  /** Bounds one request and its answer. */
  readonly boundMs?: number;
}

export interface ControlCall {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON, or as it stands when it is text. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ControlAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What `npx skerry …` ends with. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  changed: 5,
  unreachable: 6,
} as const;

/** The control plane, or the gateway before it, said no. */
export class ControlRefusal extends CliFailure {
  /** Of the HTTP answer. */
  readonly status: number;
  /** The problem's code: "document_changed"; empty when the answer names none. */
  readonly code: string;

  constructor(message: string, { status, code }: { status: number; code: string }) {
    super(message, exitCodeOf(status));
    this.status = status;
    this.code = code;
  }
}

const ANSWER_MS = 10_000;

const EXIT_OF_STATUS: Readonly<Record<number, number>> = {
  401: EXIT.notAllowed,
  403: EXIT.notAllowed,
  404: EXIT.notFound,
  409: EXIT.changed,
  412: EXIT.changed,
  428: EXIT.changed,
  502: EXIT.unreachable,
  503: EXIT.unreachable,
  504: EXIT.unreachable,
};

const exitCodeOf = (status: number): number => EXIT_OF_STATUS[status] ?? EXIT.failed;

/** What helps, where that is not in the answer. */
const WAY_OUT: Readonly<Record<number, string>> = {
  401: "SKERRY_TOKEN, or the token in the data folder of SKERRY_DATA_DIR, must be one that the control plane knows",
  403: "a token with a greater role is needed (npx skerry token create)",
  412: "read it again (npx skerry config get) and repeat the change",
};

/**
 * @param path after `/control/v1`
 * @throws ControlRefusal when the answer is no success
 * @throws CliFailure with exit code 6 when nobody answers in time
 */
export const callControl = async (
  address: ControlAddress,
  path: string,
  call: ControlCall = {},
): Promise<ControlAnswer> => {
  const answer = await askGateway(address, `/control/v1${path}`, call);
  if (answer.status >= 400) throw refusalOf(answer);
  return answer;
};

/**
 * Whatever the gateway answers, refusals too.
 * @param path after the gateway's address
 * @throws CliFailure with exit code 6 when nobody answers in time
 */
export const askGateway = async (
  address: ControlAddress,
  path: string,
  call: ControlCall = {},
): Promise<ControlAnswer> => {
  const url = new URL(`${address.url}${path}`);
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return send(address, url, call);
};

const send = async (address: ControlAddress, url: URL, call: ControlCall): Promise<ControlAnswer> => {
  const { fetch: ask = fetch, token, boundMs = ANSWER_MS } = address;
  const text =
    typeof call.body === "string" || call.body === undefined ? call.body : JSON.stringify(call.body);
  try {
    const response = await ask(url, {
      method: call.method ?? "GET",
      headers: {
        accept: "application/json",
        ...(token && { authorization: `Bearer ${token}` }),
        ...(text !== undefined && { "content-type": "application/json" }),
        ...call.headers,
      },
      ...(text !== undefined && { body: text }),
      redirect: "manual",
      signal: AbortSignal.timeout(boundMs),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (error) {
    throw new CliFailure(
      `cannot reach the control plane at "${address.url}" (${reasonOf(error)}): expected a running system there (npm start), or its address in SKERRY_URL`,
      EXIT.unreachable,
    );
  }
};

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : error;
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
};

const refusalOf = ({ status, text }: ControlAnswer): ControlRefusal => {
  const problem = problemOf(text);
  const code = problem?.type?.replace(/^.*\/problems\//, "") ?? "";
  const said = problem ? [problem.title, problem.detail].filter(Boolean).join(": ") : `answered ${status}`;
  const way = WAY_OUT[status];
  const faults = faultLines(problem);
  return new ControlRefusal([way ? `${said.replace(/\.$/, "")}; ${way}` : said, ...faults].join("\n"), {
    status,
    code,
  });
};

/** None for a single fault that the detail names already. */
const faultLines = ({ detail = "", errors = [] }: Partial<Problem> = {}): string[] => {
  const [only, another] = errors;
  const told = only && !another && detail.includes(only.path) && detail.includes(only.message);
  return told ? [] : errors.map(faultLine);
};

const faultLine = ({ path, message }: FieldFault): string => `  ${path === "" ? "" : `${path}: `}${message}`;

const problemOf = (text: string): Partial<Problem> | undefined => {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && "title" in body
      ? (body as Partial<Problem>)
      : undefined;
  } catch {
    return undefined;
  }
};
