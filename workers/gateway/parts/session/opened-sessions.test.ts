import { expect, test } from "vitest";
import type { OpenedSession } from "./opened-session.ts";
import { openedSessions } from "./opened-sessions.ts";

const opened = (id: string): OpenedSession => ({
  session: { id, created: 0, expires: 1, content: {} },
  field: "e30",
  keyId: "k1",
  tokens: new Map(),
});

test("opened sessions are bounded, however many there are", () => {
  const sessions = openedSessions(10);
  for (let index = 0; index < 1_000; index++) sessions.set(`text-${index}`, opened(`${index}`));
  expect(sessions.size()).toBeLessThanOrEqual(10);
  expect(sessions.get("text-999")?.session.id).toBe("999");
  expect(sessions.get("text-0")).toBeUndefined();
});

test("an opened session that is asked for stays", () => {
  const sessions = openedSessions(10);
  sessions.set("mine", opened("mine"));
  for (let index = 0; index < 100; index++) {
    sessions.set(`text-${index}`, opened(`${index}`));
    expect(sessions.get("mine")?.session.id).toBe("mine");
  }
});
