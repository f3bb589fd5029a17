import { expect, it } from "vitest";
import { withTrace } from "#shared/telemetry/propagation.ts";
import { recordSpans } from "#shared/telemetry/record-spans.ts";
import { inSpan } from "#shared/telemetry/span.ts";
import { alarmClock } from "./alarm-clock.ts";
import { lookHandler } from "./spread/routes.ts";

const spans = recordSpans();
const names = () => spans.take().map(({ name }) => name);
const work = () => inSpan("work", {}, async () => undefined);

const alarmOf = (run: () => Promise<void>) =>
  alarmClock({
    alarm: { set: async () => undefined, clear: async () => undefined },
    clock: () => 1,
    parts: () => ({ part: { due: () => 1, run } }),
  });

it("a look leaves no span", async () => {
  const answer = lookHandler(() => work());
  const body = JSON.stringify({ service: "orders", profile: "default", isolate: "a", epoch: 0 });
  const look = () =>
    answer(
      new Request("http://control/internal/changes", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      }),
    );
  expect((await look()).status).toBe(204);
  expect(names()).toEqual([]);
});

it("a part that the alarm runs leaves no span, unless it fails", async () => {
  await withTrace({}, () => alarmOf(work).ring());
  expect(names()).toEqual([]);
  await alarmOf(() => Promise.reject(new Error("broken"))).ring();
  expect(names()).toEqual(["control part"]);
});
