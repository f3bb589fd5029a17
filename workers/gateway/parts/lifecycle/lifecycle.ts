/** Tells clients that a version will end (`Deprecation`, `Sunset`, `Link`), and that it has ended (410). */
import type { ServiceEntry } from "#shared/registry/instance.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { type Exchange, editAnswer, type HeaderEdit, type Part, refusal } from "../../exchange.ts";
import type { WrittenLifecycle } from "./lifecycle-schema.ts";
import { registeredLifecycle } from "./registered-lifecycle.ts";

export interface LifecycleOptions {
  readonly clock: Clock;
  /** The same object until something of the service changes; undefined where the route leads to no service of the registry. */
  readonly entryOf: (exchange: Exchange) => ServiceEntry | undefined;
  /** The major version that the exchange goes to. */
  readonly majorOf: (exchange: Exchange) => number | undefined;
}

/** Worked out once for each entry of the registry and major. */
interface Ending {
  readonly edits: readonly HeaderEdit[];
  /** Milliseconds since the epoch; Infinity without a sunset. */
  readonly sunsetMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly successor: string | undefined;
}

/** @param written stronger, field by field, than what the registry says */
export const lifecycle = (written: WrittenLifecycle, { clock, entryOf, majorOf }: LifecycleOptions): Part => {
  const known = new WeakMap<ServiceEntry, Map<number, Ending | undefined>>();
  const own = endingOf(written, {});

  const endingFor = (entry: ServiceEntry, major: number): Ending | undefined => {
    let majors = known.get(entry);
    if (!majors) {
      majors = new Map();
      known.set(entry, majors);
    }
    // Majors that there are: nothing else is remembered.
    if (majors.has(major)) return majors.get(major);
    const said = registeredLifecycle(entry.instances, major);
    const ending = Object.keys(said).length === 0 ? own : endingOf(written, said);
    majors.set(major, ending);
    return ending;
  };

  return (next) => (exchange) => {
    const entry = entryOf(exchange);
    const major = entry && majorOf(exchange);
    const ending = entry && major !== undefined ? endingFor(entry, major) : own;
    if (!ending) return next(exchange);
    if (clock() >= ending.sunsetMs) return Promise.resolve(gone(exchange, ending));
    for (const edit of ending.edits) editAnswer(exchange, edit);
    return next(exchange);
  };
};

const gone = (exchange: Exchange, { sunsetMs, headers, successor }: Ending): Response => {
  const path = JSON.stringify(exchange.path.slice(0, 200));
  const since = new Date(sunsetMs).toISOString();
  const instead = successor === undefined ? "another version" : JSON.stringify(successor);
  const detail = `Calling ${path}: this version ended at ${since}; expected ${instead} in its place.`;
  return refusal(exchange, "version_gone", detail, headers);
};

const endingOf = (written: WrittenLifecycle, said: WrittenLifecycle): Ending | undefined => {
  const { deprecated, sunset, link, successor } = inOrder(written, said);
  const links = [
    ...(link && deprecated ? [`<${link}>; rel="deprecation"`] : []),
    ...(link && sunset ? [`<${link}>; rel="sunset"`] : []),
    ...(successor ? [`<${successor}>; rel="successor-version"`] : []),
  ].join(", ");
  const headers = {
    ...(deprecated && { deprecation: `@${Math.floor(Date.parse(deprecated) / 1_000)}` }),
    ...(sunset && { sunset: new Date(sunset).toUTCString() }),
    ...(links && { link: links }),
  };
  const edits = Object.entries(headers).map(
    // A service may have links of its own.
    ([name, value]): HeaderEdit => ({ kind: name === "link" ? "append" : "set", name, value }),
  );
  if (edits.length === 0) return undefined;
  return { edits, headers, successor, sunsetMs: sunset ? Date.parse(sunset) : Number.POSITIVE_INFINITY };
};

/** A sunset before its deprecation must not be told (RFC 9745 section 4): then what the registry says of the two is left out. */
const inOrder = (written: WrittenLifecycle, said: WrittenLifecycle): WrittenLifecycle => {
  const all = { ...said, ...written };
  if (!all.deprecated || !all.sunset || Date.parse(all.sunset) >= Date.parse(all.deprecated)) return all;
  const { deprecated, sunset, ...rest } = all;
  return {
    ...rest,
    ...(written.deprecated && { deprecated: written.deprecated }),
    ...(written.sunset && { sunset: written.sunset }),
  };
};
