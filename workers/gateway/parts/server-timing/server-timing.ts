/** Tells clients where the time went (`Server-Timing`, W3C): the phases that parts have noted, and the whole. */
import { LIMITS } from "#shared/limits.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { editAnswer, type Part, type Timing } from "../../exchange.ts";
import type { WrittenServerTiming } from "./server-timing-schema.ts";

export const SERVER_TIMING_DEFAULTS = { total: true } as const;

/** Appends to what the service says of itself. In Workers clocks stand still between I/O: computing alone takes 0 ms. */
export const serverTiming = (written: WrittenServerTiming, { clock }: { readonly clock: Clock }): Part => {
  const total = written.total ?? SERVER_TIMING_DEFAULTS.total;
  return (next) =>
    async function serverTiming(exchange) {
      const began = clock();
      const answer = await next(exchange);
      if (answer.status === SWITCHING_PROTOCOLS) return answer;
      const entries = (exchange.timings ?? []).slice(0, LIMITS.serverTimings).map(entryOf);
      if (total) entries.push(entryOf({ name: "total", ms: clock() - began }));
      if (entries.length > 0)
        editAnswer(exchange, { kind: "append", name: "server-timing", value: entries.join(", ") });
      return answer;
    };
};

const SWITCHING_PROTOCOLS = 101;

const entryOf = ({ name, ms }: Timing): string =>
  `${name.replaceAll(/[^!#$%&'*+.^_`|~0-9A-Za-z-]/g, "_") || "_"};dur=${Math.round(Math.max(0, ms) * 10) / 10}`;
