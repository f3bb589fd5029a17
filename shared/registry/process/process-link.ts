/** A long-lived process' link to the control plane: hot configuration and lookup, as a worker has them. */

import type { Sealer } from "../../config/sealing.ts";
import type { Changes } from "../../control/changes.ts";
import { type ControlLink, controlLink } from "../../control/link.ts";
import { LIMITS } from "../../limits.ts";
import type { Clock, Sleep } from "../../runtime/clock.ts";
import type { KeyValue } from "../../storage/key-value.ts";
import { lastGood } from "./last-good.ts";
import { type HttpLookOptions, lookOverHttp } from "./look-over-http.ts";

export interface ProcessLinkOptions extends HttpLookOptions {
  readonly service: string;
  /** `default` when absent. */
  readonly profile?: string;
  /** Where the last good knowledge is kept for a start without the control plane; nowhere when absent. */
  readonly snapshots?: KeyValue;
  /** Opens what is sealed in the configuration; without, a configuration with secrets is not taken. */
  readonly secrets?: Pick<Sealer, "open">;
  readonly clock: Clock;
  readonly sleep: Sleep;
}

export interface ProcessLink extends Pick<ControlLink, "epoch" | "loaded" | "entry" | "entries" | "config"> {
  /** Waits for the first look or what was kept, at most `LIMITS.coldLookMs`, and goes on looking from then on. Never rejects. */
  start(): Promise<void>;
  /** Somebody told of this epoch, as `followEpochs` does: when it is news, it is looked for at once. */
  saw(epoch: number): void;
  /** Ends the looking; what is known stays. */
  close(): void;
}

const PROFILE = "default";

export const processLink = (options: ProcessLinkOptions): ProcessLink => {
  const { service, profile = PROFILE, snapshots, secrets, clock, sleep } = options;
  const ask = lookOverHttp(options);
  const keep = snapshots && lastGood(snapshots);
  const closed = new AbortController();
  let newest = { epoch: 0, at: Number.NEGATIVE_INFINITY };
  let answered: Changes | undefined;
  let keptEpoch = 0;
  let wake = () => {};

  const link = controlLink({
    service,
    profile,
    isolate: crypto.randomUUID(),
    look: async (look, signal) => {
      const changes = await ask(look, AbortSignal.any([signal, closed.signal]));
      if (changes) answered = changes;
      return changes;
    },
    snapshots,
    secrets,
    clock,
    sleep,
  });

  /** The store may fail: the process then knows what it knows, and the next change is another attempt. */
  const keepWhatIsNew = async (): Promise<void> => {
    const changes = answered;
    answered = undefined;
    if (!changes || !keep || link.epoch() === keptEpoch) return;
    try {
      if (changes.config) await keep.config(changes.config);
      await keep.registry({
        epoch: link.epoch(),
        changedAt: changes.changedAt,
        services: [...link.entries()],
        whole: true,
      });
      keptEpoch = link.epoch();
    } catch {
      // As said above.
    }
  };

  /** Until a told epoch is found it is looked for as often as the link allows, and for as long as it believes in it. */
  const pauseMs = (): number => {
    const isNews = newest.epoch > link.epoch() && clock() - newest.at < 2 * LIMITS.epochBelievedMs;
    return isNews ? LIMITS.lookAgainMs : LIMITS.processLookMs;
  };

  const lookUntilClosed = async (): Promise<void> => {
    while (!closed.signal.aborted) {
      await keepWhatIsNew();
      const woken = new AbortController();
      wake = () => woken.abort();
      await sleep(pauseMs(), AbortSignal.any([woken.signal, closed.signal])).catch(() => {});
      let looking: Promise<unknown> = Promise.resolve();
      if (!closed.signal.aborted)
        link.lookSoon((work) => {
          looking = work;
        });
      await looking;
    }
  };

  return {
    epoch: link.epoch,
    loaded: link.loaded,
    entry: link.entry,
    entries: link.entries,
    config: link.config,
    async start() {
      await link.load();
      void lookUntilClosed();
    },
    saw(epoch) {
      if (epoch <= newest.epoch) return;
      newest = { epoch, at: clock() };
      link.saw(epoch);
      if (epoch > link.epoch()) wake();
    },
    close: () => closed.abort(),
  };
};
