import { expect, test } from "vitest";
import { countedBody } from "./counted-body.ts";

test("a service that wants no more while a read is under way makes nobody a client that broke off", async () => {
  const ends: string[] = [];
  const endless = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) });
  const reader = countedBody(endless, 10, (how) => void ends.push(how)).getReader();
  const reading = reader.read();
  await reader.cancel("answered early");
  expect((await reading).done).toBe(true);
  expect(ends).toEqual([]);
});

test("a client that breaks off, and one that sends too much, are told apart", async () => {
  const endOf = async (body: ReadableStream<Uint8Array>) => {
    const ends: string[] = [];
    await new Response(countedBody(body, 3, (how) => void ends.push(how))).text().catch(() => undefined);
    return ends;
  };
  const broken = new ReadableStream<Uint8Array>({ pull: (c) => c.error(new TypeError("connection lost")) });
  expect(await endOf(broken)).toEqual(["broken"]);
  expect(await endOf(new Response("four").body as ReadableStream<Uint8Array>)).toEqual(["over"]);
  expect(await endOf(new Response("ok").body as ReadableStream<Uint8Array>)).toEqual([]);
});
