/** An isolate's link to the control plane: what it knows in memory, and when it looks for what is newer. */
import type { z } from "zod";
import { type Config, type ConfigReader, configReader } from "../config/config.ts";
import type { Sealer } from "../config/sealing.ts";
import { LIMITS } from "../limits.ts";
import type { ServiceEntry } from "../registry/instance.ts";
import { type BreakerExchange, breakerExchange } from "../resilience/hints/breaker-exchange.ts";
import { type Clock, sleep as realSleep, type Sleep } from "../runtime/clock.ts";
import type { KeyValue } from "../storage/key-value.ts";
import { armSums, type CountedAnswer } from "./arm-sums.ts";
import { bounded } from "./bounded.ts";
import type { Changes, Look } from "./changes.ts";
import { coldSnapshot } from "./cold-snapshot.ts";
import { holding, type Ticket } from "./holding.ts";
import { recordPropagation } from "./record-propagation.ts";

/** The `waitUntil` of one request or Actor. */
export type WaitUntil = (work: Promise<unknown>) => void;

export interface ControlLinkOptions {
  readonly service: string;
  readonly profile: string;
  /** {@link Look.isolate} */
  readonly isolate: string;
  /** Asks the control plane (`lookAtControl`); undefined when nothing is new. Rejects when it does not answer. */
  readonly look: (look: Look, signal: AbortSignal) => Promise<Changes | undefined>;
  /** Where snapshots lie for the time that the control plane does not answer a cold isolate. */
  readonly snapshots?: KeyValue | undefined;
  /** Opens what is sealed in the configuration; without, a configuration with secrets is not taken. */
  readonly secrets?: Pick<Sealer, "open"> | undefined;
  readonly clock: Clock;
  readonly sleep?: Sleep;
}

export interface ControlLink {
  /** Of what it knows; 0 for nothing. */
  epoch(): number;
  /** Whether a look or a snapshot ever succeeded in this isolate. */
  loaded(): boolean;
  entry(service: string): ServiceEntry | undefined;
  entries(): Iterable<ServiceEntry>;
  /**
   * For a cold isolate: waits for the first good one of a look and the snapshot, at most `LIMITS.coldLookMs`; never rejects.
   * Each request loads by itself, because on Workers a request cannot wait for another one's; after one in vain, none waits
   * for a second. With `waitUntil` the slower of the two is not cut off.
   */
  load(waitUntil?: WaitUntil): Promise<void>;
  /** Somebody has met this epoch: when it is news, the next `lookSoon` looks, a moment later where one has just begun. */
  saw(epoch: number): void;
  /** Whether an epoch is news, and a look is due: the isolate had no traffic that made it look. */
  hasMissed(epoch: number): boolean;
  /** Looks when it is time to. Cheap when it is not: call it with every request. */
  lookSoon(waitUntil: WaitUntil): void;
  /**
   * Looks before a refusal, or waits for the look that is under way, at most `LIMITS.lookNowMs`; true when the look
   * succeeded. False at once when the last look began less than `LIMITS.lookEveryMs` ago: then what is known is the newest.
   */
  lookNow(): Promise<boolean>;
  /** The service's configuration, typed and checked by its schema. Call it once, before the first look. */
  config<Schema extends z.ZodType>(schema: Schema): Config<z.infer<Schema>>;
  /** Takes what a breaker of this isolate saw to the control plane, with the next look. */
  readonly reportBreaker: BreakerExchange["report"];
  /** Calls with the news of other isolates' breakers, after each look that has any, and once when there are none any more. */
  readonly onBreakerNews: BreakerExchange["onNews"];
  /** Counts an answer that was made under a roll-out; the sums go with the next look, once, whether or not it succeeds. */
  count(answer: CountedAnswer): void;
}

/** One look while it lasts. */
interface LookUnderWay {
  /** Since the look before it began: longer than usual when the isolate had no traffic. */
  readonly afterMs: number;
  outcome?: boolean;
}

/** Between two glances at a look that another request carries. */
const GLANCE_MS = 10;

/** An isolate that looks this seldom, in looks that it might have made, has no traffic: its delay is nobody's. */
const BUSY_LOOKS = 2;

export const controlLink = ({
  service,
  profile,
  isolate,
  look: ask,
  snapshots,
  secrets,
  clock,
  sleep = realSleep,
}: ControlLinkOptions): ControlLink => {
  const held = holding();
  const sums = armSums();
  const breakers = breakerExchange();
  const readSnapshot = snapshots && coldSnapshot({ snapshots, service, profile });
  let reader: ConfigReader | undefined;
  let began = Number.NEGATIVE_INFINITY;
  let loadedInVain = Number.NEGATIVE_INFINITY;
  let underWay: LookUnderWay | undefined;
  /** The newest epoch that was met, and when. */
  let seen = { epoch: 0, at: 0 };
  /** Until then a request waits for the moment in which a look is due. */
  let waitsUntil = 0;
  /** One that no look could find is not believed in until something changes. */
  let disbelieved = 0;

  /** Reading a configuration takes time (its secrets are opened), so what may be taken is decided after it. */
  const take = async (
    changes: Changes | undefined,
    { ticket, busy }: { ticket: Ticket; busy: boolean },
  ): Promise<void> => {
    const reading = changes?.config && (await reader?.read(changes.config));
    const before = { epoch: held.epoch(), warm: held.askFrom() > 0 };
    if (!held.take(changes, ticket) || !changes) return;
    reading?.take();
    if (changes.epoch === before.epoch) return;
    disbelieved = 0;
    if (before.warm && busy) recordPropagation(clock() - changes.changedAt);
  };

  const takeSnapshot = async (): Promise<void> => {
    const changes = await readSnapshot?.();
    if (!changes) throw new Error("Reading the snapshot: there is none");
    const reading = changes.config && (await reader?.read(changes.config));
    if (held.takeSnapshot(changes)) reading?.take();
  };

  const question = (reports: Look["breakers"]): Look => {
    const counts = sums.take();
    const rejected = reader?.rejected();
    return {
      service,
      profile,
      isolate,
      epoch: held.askFrom(),
      ...(counts.length > 0 && { counts }),
      ...(rejected && { rejected }),
      ...(reports && reports.length > 0 && { breakers: reports }),
    };
  };

  const lookOnce = async (look: LookUnderWay, ms: number): Promise<boolean> => {
    const since = began;
    const taking = { ticket: held.begin(), busy: look.afterMs <= BUSY_LOOKS * LIMITS.lookEveryMs };
    const sent = breakers.begin();
    try {
      await bounded({ ms, sleep }, async (signal) => {
        const changes = await ask(question(sent.reports), signal);
        await take(changes, taking);
        breakers.succeeded(sent, changes?.breakers);
      });
      if (seen.epoch > held.epoch() && since - seen.at >= LIMITS.epochBelievedMs) {
        disbelieved = seen.epoch;
        seen = { epoch: held.epoch(), at: since };
      }
      look.outcome = true;
    } catch {
      breakers.failed(sent);
      look.outcome = false;
    }
    if (underWay === look) underWay = undefined;
    return look.outcome;
  };

  /** A look that was cut off together with its request never settles: the next one takes its place by the clock. */
  const beginLook = (ms: number): Promise<boolean> => {
    const at = clock();
    const look: LookUnderWay = { afterMs: at - began };
    began = at;
    underWay = look;
    return lookOnce(look, ms);
  };

  const isBehind = (): boolean => seen.epoch > held.epoch();

  const isDue = (): boolean => {
    const since = clock() - began;
    if (since >= LIMITS.lookEveryMs || since < 0) return true;
    return isBehind() && since >= LIMITS.lookAgainMs && !underWay;
  };

  /** The request that met the news may be the last one for long: it waits, after its answer, until a look is due. */
  const lookWhenDue = async (): Promise<void> => {
    while (isBehind() && !isDue() && clock() < waitsUntil)
      await sleep(Math.max(GLANCE_MS, LIMITS.lookAgainMs - (clock() - began)));
    if (isBehind() && isDue()) await beginLook(LIMITS.lookMs);
  };

  const outcomeOf = async (look: LookUnderWay): Promise<boolean> => {
    const until = clock() + LIMITS.lookNowMs;
    while (look.outcome === undefined && clock() < until) await sleep(GLANCE_MS);
    return look.outcome ?? false;
  };

  return {
    epoch: held.epoch,
    loaded: held.loaded,
    entry: held.entry,
    entries: held.entries,
    count: sums.count,
    reportBreaker: breakers.report,
    onBreakerNews: breakers.onNews,
    async load(waitUntil) {
      if (held.loaded() || clock() - loadedInVain < LIMITS.lookEveryMs) return;
      const ms = LIMITS.coldLookMs;
      const both = [
        beginLook(ms).then(
          (looked) => looked || Promise.reject(new Error("The control plane did not answer")),
        ),
        bounded({ ms, sleep }, takeSnapshot),
      ];
      waitUntil?.(Promise.allSettled(both));
      await Promise.any(both).catch(() => {
        loadedInVain = clock();
      });
    },
    saw(epoch) {
      if (epoch > seen.epoch && epoch !== disbelieved) seen = { epoch, at: clock() };
    },
    hasMissed: (epoch) => epoch > held.epoch() && clock() - began > LIMITS.lookEveryMs,
    lookSoon(waitUntil) {
      if (isDue()) return waitUntil(beginLook(LIMITS.lookMs));
      if (!isBehind() || clock() < waitsUntil) return;
      waitsUntil = clock() + LIMITS.epochBelievedMs;
      waitUntil(lookWhenDue());
    },
    async lookNow() {
      if (clock() - began >= LIMITS.lookEveryMs) return beginLook(LIMITS.lookNowMs);
      return underWay ? outcomeOf(underWay) : false;
    },
    config(schema) {
      if (reader) throw new Error(`The configuration of "${service}" was asked for before: expected it once`);
      const own = configReader({ schema, service, isolate, secrets });
      reader = own;
      return own.config;
    },
  };
};
