import { expect, it } from "vitest";
import * as z from "zod";
import type { Commit, RecordedEvent } from "../events/event.ts";
import { event } from "../events/event-types.ts";
import { ok } from "../result.ts";
import type { Process } from "./process.ts";
import { upcastProcess } from "./upcast-process.ts";

const { signal } = new AbortController();
const TYPES = {
  Placed: event({ id: z.string() }).next(
    (v1) => ({ ...v1, channel: z.string() }),
    (v1) => ({ ...v1, channel: "web" }),
  ),
};

const recorded = (type: string, data: object, eventVersion?: number): RecordedEvent => ({
  type,
  data,
  id: `c/${type}`,
  time: "2026-01-01T00:00:00.000Z",
  version: 1,
  ...(eventVersion !== undefined && { eventVersion }),
});
const commitOf = (...events: RecordedEvent[]): Commit => ({
  aggregate: { type: "order", id: "o1" },
  position: 1,
  commandId: "c",
  trace: {},
  metadata: {},
  events,
});

const start = () => {
  const seen: unknown[] = [];
  const process: Process = {
    name: "ship",
    source: "orders",
    handles: ["Placed"],
    async handle(event, commit) {
      seen.push(
        event.data,
        commit.events.map(({ data }) => data),
      );
      return ok(undefined);
    },
  };
  return { seen, process: upcastProcess(process, TYPES) };
};

it("an event that was parked before its type had a newer version is handled in the newest", async () => {
  const { seen, process } = start();
  const parked = recorded("Placed", { id: "o1" });
  const other = recorded("Wrapped", { paper: "red" }, 9);
  expect(await process.handle(parked, commitOf(parked, other), signal)).toEqual(ok(undefined));
  const newest = { id: "o1", channel: "web" };
  expect(seen).toEqual([newest, [newest, { paper: "red" }]]);
});

it("an event whose writer is newer waits for a newer reader, and says so", async () => {
  const { seen, process } = start();
  const newer = recorded("Placed", { id: "o1" }, 3);
  expect(await process.handle(newer, commitOf(newer), signal)).toEqual({
    ok: false,
    error: { code: "unavailable", detail: expect.stringContaining('"Placed" of version "3"') },
  });
  expect(seen).toEqual([]);
});
