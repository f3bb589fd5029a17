/**
 * A service for tests of the wire. It answers by the last segment of a path, and remembers by the query's `id` what came to it,
 * which `/seen?id=` tells, also on its own socket.
 */

/** What one id's requests came to. */
interface Seen {
  requests: number;
  headers: Record<string, string>;
  /** Bytes of bodies read so far. */
  bodyBytes: number;
  /** How long one that is never answered was worked on, in some 10 ms. */
  ticks: number;
  /** Why a body ended before its end. */
  bodyBroken?: string;
  /** How its answers' streams or its sockets ended, or that the client is gone. */
  ended: string[];
}

const seen = new Map<string, Seen>();
const ARRIVALS = 100;
/** Of the last requests, in order, but those for `/seen`. */
const arrivals: string[] = [];

const entry = (id: string): Seen => {
  const known = seen.get(id) ?? { requests: 0, headers: {}, bodyBytes: 0, ticks: 0, ended: [] };
  seen.set(id, known);
  return known;
};

type Answering = (request: Request, noted: Seen, url: URL) => Response | Promise<Response>;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** Repeats each piece of the body as it comes. */
const echo: Answering = (request, noted) => {
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      noted.bodyBytes += chunk.byteLength;
      controller.enqueue(chunk);
    },
  });
  const type = request.headers.get("content-type") ?? "application/octet-stream";
  const trailing = request.body?.pipeThrough(counting) ?? null;
  return new Response(trailing, { headers: { "content-type": type } });
};

/** Reads everything before it answers. */
const read: Answering = async (request, noted) => {
  try {
    for await (const chunk of request.body ?? []) noted.bodyBytes += chunk.byteLength;
  } catch (error) {
    noted.bodyBroken = String(error);
    throw error;
  }
  return Response.json(noted);
};

/** As a service whose framework answers whatever goes wrong. */
const tellBroken: Answering = async (request, noted, url) => {
  try {
    return await read(request, noted, url);
  } catch {
    return new Response("it went wrong", { status: 500 });
  }
};

/** Gives events one by one, each when it is let: `/let?id=`, or at once with `count`. */
const waiting = new Map<string, number>();

const events: Answering = (request, noted, url) => {
  const id = url.searchParams.get("id") ?? "";
  const type = url.searchParams.get("type") ?? "text/event-stream";
  request.signal.addEventListener("abort", () => noted.ended.push("signal"));
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      while ((waiting.get(id) ?? 0) <= sent) await new Promise((resolve) => setTimeout(resolve, 5));
      sent++;
      controller.enqueue(bytes(`id: ${sent}\ndata: ${"x".repeat(20)} ${sent}\n\n`));
    },
    cancel(reason) {
      noted.ended.push(`cancel ${reason}`);
    },
  });
  return new Response(body, { headers: { "content-type": type, "cache-control": "no-cache" } });
};

const let_: Answering = (_, __, url) => {
  const id = url.searchParams.get("id") ?? "";
  waiting.set(id, (waiting.get(id) ?? 0) + 1);
  return new Response("let");
};

/** As many bytes as a client takes: back-pressure shows in how many were made. */
const endless: Answering = (request, noted) => {
  request.signal.addEventListener("abort", () => noted.ended.push("signal"));
  const chunk = new Uint8Array(64 * 1024);
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        noted.bodyBytes += chunk.byteLength;
        controller.enqueue(chunk);
      },
      cancel(reason) {
        noted.ended.push(`cancel ${reason}`);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { "content-type": "application/octet-stream" } });
};

const socket: Answering = (request, noted, url) => {
  if (request.headers.get("upgrade") !== "websocket") return new Response("no upgrade", { status: 426 });
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.addEventListener("message", ({ data }) => {
    if (data === "close me") server.close(4001, "as you wish");
    else server.send(data);
  });
  server.addEventListener("close", ({ code, reason }) => {
    noted.ended.push(`close ${code} ${reason}`);
    server.close(code === 1005 ? 1000 : code, reason);
  });
  const protocol = request.headers.get("sec-websocket-protocol")?.split(",")[0]?.trim();
  const session = url.searchParams.get("session");
  const refused = url.searchParams.has("refuse");
  if (refused) return new Response("not today", { status: 403 });
  return new Response(null, {
    status: 101,
    webSocket: client,
    headers: {
      "x-own": "socket",
      ...(protocol && { "sec-websocket-protocol": protocol }),
      ...(session && { "skerry-internal-set-session": session }),
    },
  });
};

/** A whole answer as the query says it: `status`, `header` (name:value, several), `body` in base64; `raw`: already encoded. */
const answer: Answering = (_, __, url) => {
  const { searchParams: query } = url;
  const headers = new Headers();
  for (const header of query.getAll("header")) {
    const colon = header.indexOf(":");
    headers.append(header.slice(0, colon), header.slice(colon + 1));
  }
  const body = query.get("body");
  const status = Number(query.get("status") ?? 200);
  return new Response(body === null ? null : fromBase64(body), {
    status,
    headers,
    encodeBody: query.has("raw") ? "manual" : "automatic",
  });
};

/** Never answers, and counts on as long as it may. */
const silent: Answering = (_, noted) =>
  new Promise(() => {
    setInterval(() => {
      noted.ticks++;
    }, 10);
  });

/** The request as it came, whole. */
const mirror: Answering = async (request) =>
  Response.json({
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  });

const ANSWERS: Readonly<Record<string, Answering>> = {
  echo,
  read,
  "tell-broken": tellBroken,
  events,
  let: let_,
  endless,
  socket,
  answer,
  silent,
  mirror,
};

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const last = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
    const id = url.searchParams.get("id") ?? "";
    if (last === "seen") return Response.json(entry(id));
    if (last === "arrivals") return Response.json(arrivals.splice(0));
    if (last === "let") return let_(request, entry(id), url);
    const noted = entry(id);
    noted.requests++;
    noted.headers = Object.fromEntries(request.headers);
    arrivals.push(`${request.method} ${url.pathname}${url.search}`);
    if (arrivals.length > ARRIVALS) arrivals.shift();
    return (ANSWERS[last] ?? mirror)(request, noted, url);
  },
} satisfies ExportedHandler;
