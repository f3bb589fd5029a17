/** The keys of secrets are rotated as the guide to deployment says: services can open theirs at every step. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { newKey } from "#shared/config/sealing.ts";
import { runCommand } from "../setup/run-command.ts";
import { type TemporaryFolder, temporaryFolder } from "../setup/temporary-folder.ts";
import { ADMIN_TOKEN, type ManyIsolates, startManyIsolates } from "./many-isolates.ts";

const SECRET = "correct-horse-battery-staple";
const SOON = { timeout: 8_000, interval: 50 };

const [old, fresh] = [newKey("k1"), newKey("k2")];
let folder: TemporaryFolder;
let ground: ManyIsolates;

beforeAll(async () => {
  folder = await temporaryFolder("rotation");
  ground = await startManyIsolates({ probes: 2, gateways: 1, folder: folder.path, keys: old });
});
afterAll(async () => {
  await ground?.close();
  await folder?.remove();
});

const everyoneOpensIt = () =>
  vi.waitFor(async () => {
    for (const probe of ground.probes) {
      expect(await (await fetch(probe)).json()).toMatchObject({ mark: 7, secretLength: SECRET.length });
    }
  }, SOON);

const snapshotsAreWritten = () =>
  vi.waitFor(async () => {
    const { epoch, snapshots } = (await (await ground.call("/status")).json()) as {
      epoch: number;
      snapshots: { epoch: number };
    };
    expect(snapshots.epoch).toBe(epoch);
  }, SOON);

test("after a rotation the old key can go, also for isolates that start while the control worker is away", async () => {
  const published = await ground.call("/documents/probe/default", {
    method: "PUT",
    body: { content: { mark: 7, secret: { $secret: SECRET } } },
  });
  expect(published.status, await published.text()).toBe(201);
  await everyoneOpensIt();
  await snapshotsAreWritten();

  ground = await ground.restart({ control: "here", keys: `${fresh},${old}` });
  await everyoneOpensIt();
  const rotated = await runCommand(["secret", "rotate"], {
    env: { SKERRY_URL: ground.gateways[0] ?? "", SKERRY_TOKEN: ADMIN_TOKEN },
    cwd: folder.path,
  });
  expect(rotated).toEqual({ code: 0, out: '1 revision was sealed anew by the key "k2"\n', err: "" });
  await snapshotsAreWritten();

  ground = await ground.restart({ control: "away", keys: fresh });
  await everyoneOpensIt();
  ground = await ground.restart({ control: "here", keys: fresh });
  await everyoneOpensIt();
});
