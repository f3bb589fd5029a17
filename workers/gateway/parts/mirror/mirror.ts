/** Sends a share of the requests to somebody else, too: after the client's own way, which never waits for it. */
import { bulkhead } from "#shared/resilience/bulkhead.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import type { Clock, Random, Sleep } from "#shared/runtime/clock.ts";
import type { Exchange, HeaderEdit, Part } from "../../exchange.ts";
import { askElsewhere, letGo, type SendElsewhere } from "../fallback/elsewhere.ts";
import { copiedBody } from "./copied-body.ts";
import { MIRROR_DEFAULTS, type WrittenMirror } from "./mirror-schema.ts";

export interface MirrorOptions {
  readonly sendElsewhere: SendElsewhere;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: Sleep;
  readonly timer: Timer;
}

type Mirrored = { readonly [Field in keyof WrittenMirror]-?: NonNullable<WrittenMirror[Field]> };
type Copy = Promise<Uint8Array<ArrayBuffer> | undefined>;

const MARK: HeaderEdit = { kind: "set", name: "skerry-mirror", value: "1" };
/** A mirrored request has ended by then, whatever became of it. */
const GRACE_MS = 1_000;

export const mirror = (written: WrittenMirror, options: MirrorOptions): Part => {
  const settings = { ...MIRROR_DEFAULTS, ...written } as Mirrored;
  const { percentage, bodyBytesMax, atOnce, withinMs } = settings;
  const { clock, sleep, random } = options;
  // Waiting for the body and for the answer each have their time. Slots of requests that the platform has dropped come back.
  const policy = { concurrent: atOnce, heldMsMax: 2 * withinMs + GRACE_MS };
  const room = bulkhead({ policy: () => policy, clock, sleep });

  return (next) => (exchange) => {
    const { request } = exchange;
    if (random() * 100 >= percentage || !isMirrored(request, bodyBytesMax)) return next(exchange);
    const slot = room.enter();
    if (slot === undefined) return next(exchange);
    const copy = request.body === null ? undefined : withCopiedBody(exchange, request.body, bodyBytesMax);
    const mirrored = mirroredOf(exchange, request);
    const answer = next(exchange);
    exchange.waitUntil(send(mirrored, copy, { settings, options }).finally(() => room.leave(slot)));
    return answer;
  };
};

/** A connection that goes on in another protocol has no second end. */
const isMirrored = ({ headers }: Request, bytesMax: number): boolean =>
  !headers.has("upgrade") && !(Number(headers.get("content-length")) > bytesMax);

const withCopiedBody = (exchange: Exchange, body: ReadableStream<Uint8Array>, bytesMax: number): Copy => {
  const { url, method, headers, redirect, signal } = exchange.request;
  const copied = copiedBody(body, bytesMax);
  const init = { method, headers: new Headers(headers), redirect, signal, body: copied.body, duplex: "half" };
  // The platform knows what is sent.
  init.headers.delete("content-length");
  exchange.request = new Request(url, init as RequestInit);
  return copied.copy;
};

interface Twin {
  readonly exchange: Exchange;
  readonly request: Pick<Request, "url" | "method">;
  readonly headers: Headers;
}

/** As it is now: what is changed on the client's own way, and its going away, are not the mirror's. */
const mirroredOf = ({ refusal, answer, onward = [], ...exchange }: Exchange, request: Request): Twin => {
  const headers = new Headers(request.headers);
  headers.delete("content-length");
  return { exchange: { ...exchange, onward: [...onward, MARK] }, request, headers };
};

interface Way {
  readonly settings: Mirrored;
  readonly options: MirrorOptions;
}

/** Never rejects. */
const send = async (
  { exchange, request, headers }: Twin,
  copy: Copy | undefined,
  way: Way,
): Promise<void> => {
  const { settings, options } = way;
  const { to, withinMs } = settings;
  const body = copy && (await inTime(copy, withinMs, options));
  if (copy && !body) return;
  const { url, method } = request;
  const again = new Request(url, { method, headers, ...(body && { body }), redirect: "manual" });
  letGo(await askElsewhere({ ...exchange, request: again }, to, { ...options, withinMs }));
};

const inTime = (copy: Copy, withinMs: number, { timer }: MirrorOptions): Copy =>
  new Promise((resolve) => {
    const stop = timer(withinMs, () => resolve(undefined));
    copy.then((body) => {
      stop();
      resolve(body);
    });
  });
