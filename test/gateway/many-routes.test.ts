/** Ten thousand routes through the real control plane, of which one changes under load. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { configJsonSchema } from "#shared/config/config-json-schema.ts";
import { LIMITS } from "#shared/limits.ts";
import { type EchoInstance, startEcho } from "#test/control/echo-instances.ts";
import { ADMIN_TOKEN, type ManyIsolates, startManyIsolates } from "#test/control/many-isolates.ts";
import { runCommand } from "#test/setup/run-command.ts";
import { temporaryFolder } from "#test/setup/temporary-folder.ts";
import { GATEWAY_CONFIG } from "#workers/gateway/contract.ts";

const DOCUMENT = "/documents/gateway/default";
/** Met all the time while others change. */
const ASKED = [0, 1, 4_999, LIMITS.routes - 1];
const CHANGED = 5_000;

let ground: ManyIsolates;
let first: EchoInstance;
let second: EchoInstance;

beforeAll(async () => {
  ground = await startManyIsolates({ probes: 0, gateways: 1 });
  first = await startEcho("first", 1);
  second = await startEcho("second", 2);
}, 30_000);
afterAll(async () => {
  await ground?.close();
  await first?.stop();
  await second?.stop();
});

/** @param moved routes that lead to the second instance */
const content = (moved: readonly number[]) => ({
  routes: Object.fromEntries(
    Array.from({ length: LIMITS.routes }, (_, index) => [
      `route-${index}`,
      {
        match: { path: `/team-${index % 100}/thing-${index}/*`, methods: ["GET"] },
        to: { url: moved.includes(index) ? `${second.url}/echo/v2` : `${first.url}/echo/v1` },
      },
    ]),
  ),
});

const publish = async (moved: readonly number[], headers: Record<string, string>): Promise<void> => {
  const answer = await ground.call(DOCUMENT, { method: "PUT", body: { content: content(moved) }, headers });
  if (!answer.ok) throw new Error(`Publishing the routes: ${answer.status} ${await answer.text()}`);
  await answer.body?.cancel();
};

/** Which instance answers; undefined when none does. */
const answeredBy = async (index: number): Promise<string | undefined> => {
  const response = await fetch(`${ground.gateways[0]}/team-${index % 100}/thing-${index}/a`);
  const text = await response.text();
  return response.ok ? (JSON.parse(text) as { id: string }).id : undefined;
};

/** Asks some routes again and again, and notes what was wrong and how long the slowest answer took. */
const watch = (stop: AbortSignal) => {
  const seen = { answers: 0, wrong: [] as string[], slowestMs: 0 };
  const ask = async () => {
    while (!stop.aborted) {
      const index = ASKED[seen.answers % ASKED.length] ?? 0;
      const began = performance.now();
      const by = await answeredBy(index).catch(String);
      seen.slowestMs = Math.max(seen.slowestMs, performance.now() - began);
      seen.answers++;
      if (by !== "first") seen.wrong.push(`route-${index}: ${by}`);
      await pause(2);
    }
  };
  return { seen, ended: ask() };
};

test("ten thousand routes are published at once, and a change of one is in force within two seconds, unnoticed by the others", async () => {
  const schema = configJsonSchema(GATEWAY_CONFIG);
  expect((await ground.call("/schemas/gateway", { method: "PUT", body: { schema } })).status).toBe(200);
  await publish([], { "if-none-match": "*" });
  await vi.waitFor(async () => expect(await answeredBy(CHANGED)).toBe("first"), {
    timeout: 5_000,
    interval: 50,
  });
  for (const index of ASKED) expect(await answeredBy(index)).toBe("first");

  const stop = new AbortController();
  const { seen, ended } = watch(stop.signal);
  await publish([CHANGED], { "if-match": '"1"' });
  const published = performance.now();
  await vi.waitFor(async () => expect(await answeredBy(CHANGED)).toBe("second"), {
    timeout: 2_000,
    interval: 20,
  });
  const seenMs = performance.now() - published;
  const answersThen = seen.answers;
  await vi.waitFor(() => expect(seen.answers).toBeGreaterThan(answersThen + 20), { timeout: 5_000 });
  stop.abort();
  await ended;
  // All isolates of this test share one thread, that of the control plane included.
  console.log(
    `  seen after ${Math.round(seenMs)} ms; slowest answer meanwhile ${Math.round(seen.slowestMs)} ms`,
  );
  expect(seen.wrong).toEqual([]);
}, 30_000);

test("what does not fit is refused whole, and what was published stays in force", async () => {
  const bad = { ...content([]), policy: { deadlineMs: -1 } };
  const headers = { "if-match": '"2"' };
  const answer = await ground.call(DOCUMENT, { method: "PUT", body: { content: bad }, headers });
  expect([answer.status, ((await answer.json()) as { type: string }).type]).toEqual([
    422,
    "/problems/config_does_not_fit",
  ]);
  expect([await answeredBy(CHANGED), await answeredBy(0)]).toEqual(["second", "first"]);
});

test("the command line imports them as YAML, and one that is moved in the file is moved", async () => {
  const folder = await temporaryFolder("many-routes");
  try {
    // JSON is YAML too; a file of export has its lines.
    const routes = Object.entries(content([]).routes).map(
      ([name, route]) => `      ${name}: ${JSON.stringify(route)}`,
    );
    const text = `documents:\n- service: gateway\n  profile: default\n  content:\n    routes:\n${routes.join("\n")}\n`;
    await writeFile(join(folder.path, "all.yaml"), text);
    const env = { SKERRY_URL: ground.gateways[0] ?? "", SKERRY_TOKEN: ADMIN_TOKEN };
    const ran = await runCommand(["config", "import", "all.yaml"], { env, cwd: folder.path });
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(ran.out).toContain("1 documents were changed");
    await vi.waitFor(async () => expect(await answeredBy(CHANGED)).toBe("first"), { timeout: 5_000 });
  } finally {
    await folder.remove();
  }
}, 30_000);
