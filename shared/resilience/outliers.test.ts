import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type OutlierSettings, outliers } from "./outliers.ts";

const listOf = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `${index}` }));

const given = (count: number, settings: OutlierSettings = {}) => {
  const at = { ms: 0 };
  const list = listOf(count);
  const standing = outliers(() => at.ms, settings);
  const ejected = (of: readonly { id: string }[] = list) => {
    const except = standing.except(of);
    return except ? of.filter(except).map(({ id }) => id) : [];
  };
  ejected();
  const answers = (id: number, count: number, failed: boolean) => {
    for (let answer = 0; answer < count; answer++) standing.finished({ id: `${id}` }, failed);
  };
  return { at, list, ejected, answers };
};

const anyStep = fc.record({
  /** How many instances there are from now on. */
  count: fc.option(fc.nat({ max: 30 }), { nil: undefined, freq: 8 }),
  id: fc.nat({ max: 30 }),
  answers: fc.nat({ max: 30 }),
  failed: fc.boolean(),
  stepMs: fc.oneof(fc.nat({ max: 3_000 }), fc.integer({ min: -500_000, max: 500_000 })),
});
const anySettings = fc.record({
  consecutiveFailures: fc.integer({ min: 1, max: 6 }),
  shareMax: fc.double({ min: 0, max: 1, noNaN: true }),
  panicShare: fc.double({ min: 0, max: 1, noNaN: true }),
  requestsMin: fc.integer({ min: 1, max: 20 }),
});

describe("whatever instances answer, come and go, and wherever the clock goes", () => {
  const anySteps = fc.array(anyStep, { maxLength: 60 });

  test("never more than the share is ejected, one of two or more at least may be, and never a single one", () => {
    fc.assert(
      fc.property(anySettings, anySteps, (settings, steps) => {
        const { at, ejected, answers } = given(10, settings);
        let list = listOf(10);
        for (const { count, id, answers: number, failed, stepMs } of steps) {
          if (count !== undefined) list = listOf(count);
          at.ms += stepMs;
          answers(id, number, failed);
          const most = list.length < 2 ? 0 : Math.max(1, Math.floor(list.length * settings.shareMax));
          const gone = ejected(list).length;
          expect(gone).toBeLessThanOrEqual(most);
          if (gone > 0)
            expect((list.length - gone) / list.length).toBeGreaterThanOrEqual(settings.panicShare);
        }
      }),
      { numRuns: 400 },
    );
  });

  test("everyone is back after the longest ejection", () => {
    fc.assert(
      fc.property(anySettings, anySteps, (settings, steps) => {
        const { at, ejected, answers } = given(10, { ...settings, ejectionMaxMs: 300_000 });
        for (const { id, answers: number, failed, stepMs } of steps) {
          at.ms += stepMs;
          answers(id, number, failed);
        }
        ejected();
        at.ms += 300_000;
        expect(ejected()).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});

describe("failures in a row", () => {
  test("eject an instance for 30 s", () => {
    const { at, ejected, answers } = given(3);
    answers(1, 4, true);
    expect(ejected()).toEqual([]);
    answers(1, 1, true);
    expect(ejected()).toEqual(["1"]);
    at.ms += 29_999;
    expect(ejected()).toEqual(["1"]);
    at.ms += 1;
    expect(ejected()).toEqual([]);
  });

  test("are counted anew after each good answer, and after an ejection", () => {
    const { at, ejected, answers } = given(3);
    answers(1, 4, true);
    answers(1, 1, false);
    answers(1, 4, true);
    expect(ejected()).toEqual([]);
    answers(1, 1, true);
    at.ms += 30_000;
    expect(ejected()).toEqual([]);
    answers(1, 4, true);
    expect(ejected()).toEqual([]);
  });

  test("eject for longer each time, up to the maximum", () => {
    const { at, ejected, answers } = given(3, { ejectionMaxMs: 70_000 });
    const lengths = Array.from({ length: 4 }, () => {
      answers(0, 5, true);
      const since = at.ms;
      while (ejected().length > 0) at.ms += 1_000;
      return at.ms - since;
    });
    expect(lengths).toEqual([30_000, 60_000, 70_000, 70_000]);
  });

  test("eject for shorter again after comparisons that were passed", () => {
    const { at, ejected, answers } = given(3);
    answers(0, 5, true);
    at.ms += 30_000;
    ejected();
    for (let passed = 0; passed < 2; passed++) {
      at.ms += 10_000;
      answers(0, 5, false);
    }
    answers(0, 5, true);
    at.ms += 30_000;
    expect(ejected()).toEqual([]);
  });

  test("of an instance that is ejected already change nothing", () => {
    const { at, ejected, answers } = given(3);
    answers(0, 50, true);
    at.ms += 30_000;
    expect(ejected()).toEqual([]);
  });
});

describe("success rates", () => {
  const compared = (failures: readonly number[], settings: OutlierSettings = {}) => {
    const { at, ejected, answers } = given(failures.length, { consecutiveFailures: 1_000, ...settings });
    for (const [id, failed] of failures.entries()) {
      answers(id, failed, true);
      answers(id, 100 - failed, false);
    }
    at.ms += 10_000;
    answers(0, 1, false);
    return ejected();
  };

  test("eject who is clearly worse than its peers, from two instances on", () => {
    expect(compared([2, 40])).toEqual(["1"]);
    expect(compared([0, 0, 30, 0, 0])).toEqual(["2"]);
  });

  test("eject the worst first when more are bad than may be ejected", () => {
    expect(compared([30, 60, 0, 0, 0])).toEqual(["1"]);
  });

  test("eject nobody where all are as bad, or the difference is small, or chance explains it", () => {
    expect(compared([50, 50, 50])).toEqual([]);
    expect(compared([0, 9, 0])).toEqual([]);
    expect(compared([30, 43, 30])).toEqual([]);
  });

  test("say nothing with too few requests", () => {
    expect(compared([0, 40], { requestsMin: 101 })).toEqual([]);
  });

  test("are those since the last comparison", () => {
    const { at, ejected, answers } = given(2, { consecutiveFailures: 1_000, requestsMin: 60 });
    for (let round = 0; round < 3; round++) {
      answers(0, 50, false);
      answers(1, 50, true);
      at.ms += 10_000;
    }
    expect(ejected()).toEqual([]);
  });
});

test("one of two may be ejected, and both are used when that is too many", () => {
  const lenient = given(2);
  lenient.answers(0, 5, true);
  expect(lenient.ejected()).toEqual(["0"]);
  const strict = given(2, { panicShare: 0.6 });
  strict.answers(0, 5, true);
  expect(strict.ejected()).toEqual([]);
});

test("when instances go, those ejected that would return first do so at once", () => {
  const { at, ejected, answers } = given(20);
  answers(3, 5, true);
  at.ms += 1_000;
  answers(4, 5, true);
  expect(ejected()).toEqual(["3", "4"]);
  expect(ejected(listOf(10))).toEqual(["4"]);
  expect(ejected(listOf(10).slice(4, 5))).toEqual([]);
});

test("a single instance is not ejected though it may be that none remains", () => {
  const { ejected, answers } = given(1, { panicShare: 0, shareMax: 1 });
  answers(0, 50, true);
  expect(ejected()).toEqual([]);
});

test("late failures of an ejected instance neither take another's place nor make its ejection longer", () => {
  const { at, ejected, answers } = given(20);
  answers(0, 50, true);
  answers(1, 5, true);
  expect(ejected()).toEqual(["0", "1"]);
  at.ms += 30_000;
  expect(ejected()).toEqual([]);
});

test("a comparison during an ejection is not one that was passed", () => {
  const { at, ejected, answers } = given(3);
  answers(0, 5, true);
  at.ms += 10_000;
  answers(1, 1, false);
  at.ms += 20_000;
  ejected();
  answers(0, 5, true);
  at.ms += 30_000;
  expect(ejected()).toEqual(["0"]);
});
