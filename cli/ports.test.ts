/** Holds which ports count as free. */
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort, portRefusal } from "./ports.ts";

test("a free port is not refused", async () => {
  expect(await portRefusal(await freePort())).toBeNull();
});

test("a port that a program listens on is refused", async () => {
  const port = await freePort();
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  expect(await portRefusal(port)).toBe("it is in use by another program");
  server.close();
});
