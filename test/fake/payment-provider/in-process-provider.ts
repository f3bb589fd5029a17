/** The fake provider inside a test's own process: its HTTP interface without a worker around it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hono } from "hono";
import type { Sleep } from "#shared/runtime/clock.ts";
import { inProcessActors } from "#shared/runtime/in-process-actor.ts";
import { providerApp } from "./app.ts";
import { paymentProvider } from "./provider.ts";

export interface InProcessProvider {
  readonly app: Hono;
  /** Starts it again on what it had stored. */
  restart(): InProcessProvider;
  close(): void;
}

/** Authorisations are numbered "a1", "a2"; its clock stands at 0. */
export const startProvider = (
  sleep: Sleep,
  folder = mkdtempSync(join(tmpdir(), "provider-")),
): InProcessProvider => {
  const actors = inProcessActors({
    folder,
    create: paymentProvider,
    clock: () => 0,
    timers: { set: () => undefined, clear: () => undefined },
  });
  let made = 0;
  return {
    app: providerApp(actors.named("provider"), { clock: () => 0, sleep, newId: () => `a${++made}` }),
    restart() {
      actors.close();
      return startProvider(sleep, folder);
    },
    close() {
      actors.close();
      rmSync(folder, { recursive: true });
    },
  };
};
