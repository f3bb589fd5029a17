import { expect, test } from "vitest";
import { ActorUnavailable } from "./actor.ts";
import { durableActors } from "./durable-actor.ts";

type Methods = { work(input: unknown): Promise<unknown> };

/** Calls an Actor whose stub fails like this. */
const calling = (thrown: unknown) => {
  const namespace = { getByName: () => ({ call: () => Promise.reject(thrown) }) };
  return durableActors<Methods>(namespace)
    .named("shard-1")
    .work({})
    .catch((error: unknown) => error);
};

const error = (message: string, properties: object) => Object.assign(new Error(message), properties);

test.each([
  ["is lost on the way", error("Network connection lost.", { retryable: true })],
  ["has too much to do", error("Durable Object is overloaded.", { overloaded: true })],
  ["is moved while it works", error("Its code was updated.", { remote: true, durableObjectReset: true })],
  ["loses its machine", error("Internal error.", { remote: true, retryable: true })],
  ["cannot be started", error("Internal error.", {})],
])("an Actor that %s is unavailable, and the platform's error is the cause", async (_, thrown) => {
  const failure = await calling(thrown);
  expect(failure).toBeInstanceOf(ActorUnavailable);
  expect(failure).toMatchObject({
    cause: thrown,
    message: 'Calling "work" of "shard-1": it could not be reached',
  });
});

test.each([
  ["throws", error("no such thing", { remote: true })],
  ["is called with what cannot be copied", new DOMException("could not be cloned", "DataCloneError")],
  ["is called wrongly", new TypeError("not a function")],
])("an Actor that %s is available: that is a defect and is thrown as it is", async (_, thrown) => {
  expect(await calling(thrown)).toBe(thrown);
});
