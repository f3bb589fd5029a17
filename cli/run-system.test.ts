/** Holds what the arguments and variables of `npm start` mean, and what is refused. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSettings } from "./run-system.ts";
import { ROOT } from "./workers.ts";

test("without arguments the gateway listens on 8787 over .skerry/data and a NATS server of its own", () => {
  expect(readSettings([], {})).toEqual({
    port: 8787,
    dataDir: join(ROOT, ".skerry", "data"),
    fresh: false,
    env: {},
  });
});

test("variables choose the port, the data folder, the NATS server and the collector", () => {
  const settings = readSettings(["--fresh"], {
    PORT: "9000",
    SKERRY_DATA_DIR: "/data",
    NATS_URL: "nats://nats:4222",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
  });
  expect(settings).toEqual({
    port: 9000,
    dataDir: "/data",
    fresh: true,
    natsUrl: "nats://nats:4222",
    natsAccess: {},
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" },
  });
});

test.each(["0", "65536", "http", "80.5", "-1"])("PORT %j is refused by name", (PORT) => {
  expect(() => readSettings([], { PORT })).toThrow(
    `cannot listen on PORT "${PORT}": expected a number from 1 to 65535`,
  );
});

test("an unknown argument is refused by name", () => {
  expect(() => readSettings(["--frsh"], {})).toThrow('cannot use the argument "--frsh": expected --fresh');
});

const ACCESS = { NATS_CREDS: "SUAB", NATS_CA: "-----BEGIN", NATS_REPLICAS: "3" };

test("what a NATS server asks for goes with its address, and to no server of our own", () => {
  expect(readSettings([], { NATS_URL: "nats://nats:4222", ...ACCESS }).natsAccess).toEqual({
    creds: "SUAB",
    ca: "-----BEGIN",
    replicas: 3,
  });
  expect(readSettings([], ACCESS)).not.toHaveProperty("natsAccess");
});

test.each(["0", "6", "three", "1.5"])("NATS_REPLICAS %j is refused by name", (NATS_REPLICAS) => {
  expect(() => readSettings([], { NATS_URL: "nats://nats:4222", NATS_REPLICAS })).toThrow(
    `cannot use NATS_REPLICAS "${NATS_REPLICAS}": expected a whole number from 1 to 5`,
  );
});
