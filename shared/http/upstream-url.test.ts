import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { urlUpstream } from "./upstream-url.ts";

let server: Server;
let baseUrl: string;
let answers: ((answer: ServerResponse) => void)[];

/** The server's side of the next request, to be answered by the test. */
const nextAnswer = () => new Promise<ServerResponse>((resolve) => answers.push(resolve));

beforeEach(async () => {
  answers = [];
  server = createServer((_, answer) => answers.shift()?.(answer));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  server.closeAllConnections();
  server.close();
});

test("the time ends with the headers: a body may stream for longer", async () => {
  const coming = nextAnswer();
  const asked = urlUpstream({ baseUrl, timeoutMs: 1_000 }).fetch(new Request("http://any/"));
  const answer = await coming;
  answer.write("first ");
  const response = await asked;
  vi.advanceTimersByTime(60_000);
  answer.end("last");
  expect(await response.text()).toBe("first last");
});

test("the time is asked for at each request", async () => {
  let ms = 1_000;
  const upstream = urlUpstream({ baseUrl, timeoutMs: () => ms });
  for (const each of [1_000, 20]) {
    ms = each;
    const coming = nextAnswer();
    const asked = upstream.fetch(new Request("http://any/"));
    const refused = expect(asked).rejects.toThrow(`Calling "${baseUrl}": no answer within ${each} ms`);
    await coming;
    vi.advanceTimersByTime(each);
    await refused;
  }
});

test("a client that goes away while the body streams ends it", async () => {
  const coming = nextAnswer();
  const client = new AbortController();
  const request = new Request("http://any/", { signal: client.signal });
  const asked = urlUpstream({ baseUrl, timeoutMs: 1_000 }).fetch(request);
  (await coming).write("first");
  const response = await asked;
  client.abort();
  await expect(response.text()).rejects.toMatchObject({ name: "AbortError" });
});
