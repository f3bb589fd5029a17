import { describe, expect, test } from "vitest";
import { LIMITS } from "../../limits.ts";
import { breakerExchange } from "./breaker-exchange.ts";
import { type BreakerNews, type BreakerReport, NO_BREAKER_NEWS } from "./breaker-hint.ts";

const report = (instance: string, failures = 1): BreakerReport => ({
  service: "orders",
  instance,
  state: "open",
  calls: 20,
  failures,
});
const ASKED: BreakerNews = { hints: [], asked: [{ service: "orders", instance: "a" }] };

const listening = () => {
  const exchange = breakerExchange();
  const heard: BreakerNews[] = [];
  exchange.onNews((news) => heard.push(news));
  return { exchange, heard };
};

describe("a look's reports", () => {
  test("are the newest of each instance, and leave once", () => {
    const { exchange } = listening();
    exchange.report(report("a", 1));
    exchange.report(report("b"));
    exchange.report(report("a", 2));
    expect(exchange.begin().reports).toEqual([report("b"), report("a", 2)]);
    expect(exchange.begin().reports).toEqual([]);
  });

  test("go again when the look failed, unless there is something newer", () => {
    const { exchange } = listening();
    exchange.report(report("a", 1));
    exchange.report(report("b"));
    const sent = exchange.begin();
    exchange.report(report("a", 2));
    exchange.failed(sent);
    expect(exchange.begin().reports).toEqual([report("b"), report("a", 2)]);
  });

  test("are bounded, and none is such that the look would be refused", () => {
    const { exchange } = listening();
    for (let index = 0; index < 3 * LIMITS.lookReportItems; index++) exchange.report(report(`i-${index}`));
    exchange.report(report("x".repeat(LIMITS.breakerNameCharacters + 1)));
    const { reports } = exchange.begin();
    expect(reports).toHaveLength(LIMITS.lookReportItems);
    expect(reports.at(-1)?.instance).toBe(`i-${3 * LIMITS.lookReportItems - 1}`);
  });
});

describe("news", () => {
  test("are told as long as there are any, and their end once", () => {
    const { exchange, heard } = listening();
    for (const news of [undefined, ASKED, ASKED, undefined, undefined])
      exchange.succeeded(exchange.begin(), news);
    expect(heard).toEqual([ASKED, ASKED, NO_BREAKER_NEWS]);
  });

  test("of a look that began before the last one that was answered are not told", () => {
    const { exchange, heard } = listening();
    const early = exchange.begin();
    exchange.succeeded(exchange.begin(), ASKED);
    exchange.succeeded(early, undefined);
    expect(heard).toEqual([ASKED]);
  });
});
