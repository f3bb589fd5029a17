import { expect, test } from "vitest";
import { lookAtControl } from "./look-at-control.ts";

const look = { service: "orders", profile: "default", isolate: "i", epoch: 3 };
const { signal } = new AbortController();

test("the question is posted to the control plane, and its answer is what changed", async () => {
  const changes = { epoch: 4, changedAt: 1, services: [], whole: false };
  const asked: unknown[] = [];
  const control = {
    async fetch(request: Request) {
      asked.push([request.method, request.url, await request.json()]);
      return Response.json(changes);
    },
  };
  expect(await lookAtControl(control)(look, signal)).toEqual(changes);
  expect(asked).toEqual([["POST", "http://control/internal/changes", look]]);
});

test("204 says that nothing is new", async () => {
  const control = { fetch: async () => new Response(null, { status: 204 }) };
  expect(await lookAtControl(control)(look, signal)).toBeUndefined();
});

test.each([404, 500, 202])("the status %i is no answer", async (status) => {
  const control = { fetch: async () => new Response("?", { status }) };
  await expect(lookAtControl(control)(look, signal)).rejects.toThrow(`it answered "${status}"`);
});

test("an aborted look aborts its request", async () => {
  const stop = new AbortController();
  const control = {
    fetch: ({ signal }: Request) =>
      new Promise<Response>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  };
  const looking = lookAtControl(control)(look, stop.signal);
  stop.abort(new Error("too late"));
  await expect(looking).rejects.toThrow("too late");
});
