/** Holds how an address with credentials is understood, by itself and by a server that asks for them. */
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { natsServerAddress, openConnection } from "./open-connection.ts";

test.each([
  ["nats://nats.example:4222", { servers: "nats://nats.example:4222" }],
  ["127.0.0.1:4222", { servers: "127.0.0.1:4222" }],
  ["nats://[::1]:4222", { servers: "nats://[::1]:4222" }],
  ["wss://shop:s3cret@nats.example", { servers: "wss://nats.example", user: "shop", pass: "s3cret" }],
  ["nats://t0ken@nats.example:4222", { servers: "nats://nats.example:4222", token: "t0ken" }],
  ["nats://a:1, nats://b:2", { servers: "nats://a:1,nats://b:2" }],
  ["nats://shop:x@a:1,nats://shop:y@b:2", { servers: "nats://a:1,nats://b:2", user: "shop", pass: "x" }],
  ["nats://shop:a%40b%3Ac@h:1", { servers: "nats://h:1", user: "shop", pass: "a@b:c" }],
])("%j is taken apart into address and credentials", (url, address) => {
  expect(natsServerAddress(url)).toEqual(address);
});

test("the credentials of an address reach the server", async () => {
  const said: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write('INFO {"server_id":"S","version":"2.15.2","max_payload":1024,"headers":true}\r\n');
    socket.setEncoding("utf8").on("data", (text: string) => {
      said.push(text);
      if (text.includes("PING")) socket.write("PONG\r\n");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const port = typeof bound === "object" && bound ? bound.port : 0;
  const connection = await openConnection({
    servers: `nats://shop:s3cret@127.0.0.1:${port}`,
    reconnect: false,
  });
  await connection.close();
  server.close();
  const connect = JSON.parse(/CONNECT (\{.*\})/.exec(said.join(""))?.[1] ?? "{}");
  expect(connect).toMatchObject({ user: "shop", pass: "s3cret" });
});

test.each(["SUshort", "-----BEGIN NATS USER JWT-----", "password"])(
  "credentials of no known form are refused, and not shown: %j",
  async (creds) => {
    const refusal = await openConnection({ servers: "nats://127.0.0.1:1", creds }).catch(String);
    expect(refusal).toContain("expected an nkey seed (SU…) or the content of a .creds file");
    expect(refusal).not.toContain(`"${creds}"`);
  },
);

test("a CA is refused where the platform's own alone count", async () => {
  const opened = openConnection({ servers: "wss://shop:s3cret@nats.example", ca: "PEM" });
  await expect(opened).rejects.toThrow('Cannot use a CA with "wss://nats.example" here');
});
