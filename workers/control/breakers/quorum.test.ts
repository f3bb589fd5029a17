import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import type { BreakerReport } from "#shared/resilience/hints/breaker-hint.ts";
import { breakerQuorum, QUORUM } from "./quorum.ts";

const NAME = { service: "orders", instance: "a" };
const OPEN: BreakerReport = { ...NAME, state: "open", calls: 20, failures: 20 };
const WELL: BreakerReport = { ...NAME, state: "closed", calls: 20, failures: 0 };
const FAILING: BreakerReport = { ...NAME, state: "closed", calls: 2, failures: 2 };
const NOTHING: BreakerReport = { ...NAME, state: "closed", calls: 0, failures: 0 };

const stand = (now = 1_000_000) => {
  const world = { now };
  const quorum = breakerQuorum({ clock: () => world.now });
  const pass = (ms: number) => {
    world.now += ms;
  };
  /** As many isolates as there are reports, named by their place from `from` on. */
  const say = (reports: readonly BreakerReport[], from = 0) => {
    for (const [index, report] of reports.entries()) quorum.report(`isolate-${from + index}`, report);
  };
  const hints = () => quorum.news().hints;
  return { world, quorum, pass, say, hints };
};

const hinted = () => {
  const stood = stand();
  stood.say([OPEN, OPEN, OPEN]);
  stood.pass(QUORUM.askMs);
  expect(stood.hints()).toHaveLength(1);
  return stood;
};

describe("a hint", () => {
  test("needs three isolates, and the time in which the others can be heard", () => {
    const { pass, say, hints, quorum } = stand();
    say([OPEN, OPEN]);
    pass(QUORUM.askMs);
    expect(hints()).toEqual([]);
    expect(quorum.news().asked).toEqual([NAME]);
    say([FAILING], 2);
    pass(100);
    expect(hints()).toMatchObject([{ ...NAME, forMs: QUORUM.hintMs }]);
    const early = stand();
    early.say([OPEN, OPEN, OPEN]);
    early.pass(QUORUM.askMs - 1);
    expect(early.hints()).toEqual([]);
  });

  test("needs half of those that have called the instance", () => {
    const { pass, say, hints } = stand();
    say([OPEN, OPEN, OPEN, WELL, WELL, WELL, WELL]);
    pass(QUORUM.askMs);
    expect(hints()).toEqual([]);
    say([NOTHING], 6);
    pass(100);
    expect(hints()).toHaveLength(1);
  });

  test("is withdrawn when enough isolates see the instance well", () => {
    const { pass, say, hints } = hinted();
    say([WELL, WELL, WELL, WELL], 10);
    pass(100);
    expect(hints()).toEqual([]);
  });

  test("is withdrawn when those that saw it fail are not heard of any more", () => {
    const { pass, hints, quorum } = hinted();
    pass(QUORUM.wordMs - QUORUM.askMs - 1);
    expect(hints()).toHaveLength(1);
    pass(100);
    expect(quorum.news()).toEqual({ hints: [], asked: [] });
  });

  test("is followed by another one while the quorum lasts, and says since when there are any", () => {
    const { world, pass, say, hints, quorum } = hinted();
    const [first] = hints();
    const since = world.now;
    for (let ms = 0; ms < QUORUM.hintMs; ms += 1_000) {
      pass(1_000);
      say([OPEN, OPEN, OPEN]);
      expect(hints()).toHaveLength(1);
    }
    expect(hints()[0]?.id).toBeGreaterThan(first?.id ?? 0);
    expect(quorum.standings()).toEqual([
      { ...NAME, open: 3, failing: 3, well: 0, calls: 60, failures: 60, hintSince: since },
    ]);
  });
});

describe("one isolate", () => {
  test("makes no hint, however often it reports and whatever it is called", () => {
    const { pass, quorum, hints } = stand();
    for (let index = 0; index < 100; index++) {
      quorum.report("isolate-0", OPEN);
      pass(200);
      expect(hints()).toEqual([]);
    }
  });

  test("that sees failures without an open breaker makes nobody ask", () => {
    const { say, quorum } = stand();
    say([FAILING, FAILING, FAILING, FAILING]);
    expect(quorum.news()).toEqual({ hints: [], asked: [] });
  });
});

test("a clock that is set back or forward makes no hint and keeps none for ever", () => {
  const { world, pass, say, hints } = stand();
  say([OPEN, OPEN, OPEN]);
  world.now -= 3_600_000;
  expect(hints()).toEqual([]);
  pass(QUORUM.askMs);
  expect(hints()).toHaveLength(1);
  world.now -= 3_600_000;
  hints();
  pass(QUORUM.wordMs);
  expect(hints()).toEqual([]);
});

test("what is kept is bounded: the newest instances, the newest words", () => {
  const { quorum, say } = stand();
  for (let index = 0; index < 3 * LIMITS.breakerSuspects; index++)
    quorum.report("isolate-0", { ...OPEN, instance: `i-${index}` });
  expect(quorum.news().asked).toHaveLength(LIMITS.breakerSuspects);
  say(Array.from({ length: LIMITS.breakerVotes + 50 }, () => OPEN));
  const standing = quorum.standings().find(({ instance }) => instance === "a");
  expect(standing?.open).toBe(LIMITS.breakerVotes);
});

const kind = fc.constantFrom("open", "well", "failing", "nothing");
const REPORTS = { open: OPEN, well: WELL, failing: FAILING, nothing: NOTHING } as const;
const words = fc.array(fc.tuple(fc.nat(12), kind), { maxLength: 60 });

test("only each isolate's last word counts, in whatever order isolates speak and however often", () => {
  fc.assert(
    fc.property(words, fc.nat(1_000), (spoken, seed) => {
      const one = stand();
      const other = stand();
      for (const { quorum } of [one, other]) quorum.report("first", OPEN);
      for (const [isolate, what] of spoken) one.quorum.report(`isolate-${isolate}`, REPORTS[what]);
      const last = [...new Map(spoken)].sort(([a], [b]) => ((a * seed) % 13) - ((b * seed) % 13));
      for (const [isolate, what] of [...last, ...last])
        other.quorum.report(`isolate-${isolate}`, REPORTS[what]);
      for (const { pass } of [one, other]) pass(QUORUM.askMs);
      expect(other.quorum.standings()).toEqual(one.quorum.standings());
      const failing = 1 + last.filter(([, what]) => what === "open" || what === "failing").length;
      const well = last.filter(([, what]) => what === "well").length;
      const agreed = failing >= QUORUM.isolates && failing >= QUORUM.share * (failing + well);
      expect(one.hints()).toHaveLength(agreed ? 1 : 0);
    }),
  );
});
