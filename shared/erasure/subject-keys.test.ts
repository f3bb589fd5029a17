import { describe, expect, it } from "vitest";
import { type TestActorContext, testActorContext } from "#test/fake/actor-context.ts";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { newKey, sealer } from "../config/sealing.ts";
import { LIMITS } from "../limits.ts";
import { type ActorContext, ActorUnavailable } from "../runtime/actor.ts";
import { actorSubjectKeys } from "./actor-subject-keys.ts";
import { cachedSubjectKeys, type SubjectKeys } from "./subject-keys.ts";
import { subjectKeysActor } from "./subject-keys-actor.ts";

const sealing = sealer({ keys: newKey("k1") });

const start = (context: ActorContext, secret: Parameters<typeof subjectKeysActor>[0]["sealer"] = sealing) =>
  subjectKeysActor({ context, sealer: secret, clock: () => 0 }).methods;

const rowsOf = ({ sql }: TestActorContext) => JSON.stringify(sql.exec("SELECT * FROM subject_keys"));

describe("an Actor of subject keys", () => {
  it("makes one key for a subject, whoever asks and how often, also after a restart", async () => {
    const context = testActorContext();
    const keys = start(context);
    const asked = await Promise.all(Array.from({ length: 8 }, () => keys.toWrite({ subject: "ada" })));
    expect(new Set(asked.map((key) => JSON.stringify(key))).size).toBe(1);
    const later = start(context.successor());
    expect(await later.toWrite({ subject: "ada" })).toEqual(asked[0]);
    expect(await later.toRead({ subjects: ["ada", "bob"] })).toEqual([asked[0]]);
    expect((await later.toWrite({ subject: "bob" }))?.bytes).not.toBe(asked[0]?.bytes);
  });

  it("keeps it sealed when the service has a secret", async () => {
    const context = testActorContext();
    const key = await start(context).toWrite({ subject: "ada" });
    expect(key?.bytes).toHaveLength(43);
    expect(rowsOf(context)).not.toContain(key?.bytes);
    const other = start(context.successor(), sealer({ keys: newKey("k1") }));
    await expect(other.toRead({ subjects: ["ada"] })).rejects.toThrow("cannot be opened");
  });

  it("destroys it once and for ever: a late writer gets none, nor does a repetition change anything", async () => {
    const context = testActorContext();
    const keys = start(context);
    await keys.toWrite({ subject: "ada" });
    const first = await keys.forget({ subject: "ada" });
    expect(await keys.forget({ subject: "ada" })).toEqual(first);
    expect(await keys.toRead({ subjects: ["ada"] })).toEqual([]);
    expect(await start(context.successor()).toWrite({ subject: "ada" })).toBeNull();
    expect(context.sql.exec("SELECT id, key FROM subject_keys")).toEqual([{ id: null, key: null }]);
  });

  it("remembers who was forgotten before there was a key", async () => {
    const keys = start(testActorContext());
    await keys.forget({ subject: "ada" });
    expect(await keys.toWrite({ subject: "ada" })).toBeNull();
  });

  it("gives no key to a writer who was on the way when the subject was forgotten", async () => {
    let meanwhile = async () => {};
    const slow = {
      ...sealing,
      async seal(text: string, place: string) {
        await meanwhile();
        return sealing.seal(text, place);
      },
    };
    const keys = start(testActorContext(), slow);
    meanwhile = async () => void (await keys.forget({ subject: "ada" }));
    expect(await keys.toWrite({ subject: "ada" })).toBeNull();
  });

  it("hands out no key that was destroyed while it was being opened", async () => {
    let meanwhile = async () => {};
    const slow = {
      ...sealing,
      async open(sealed: Parameters<typeof sealing.open>[0], place: string) {
        const opened = await sealing.open(sealed, place);
        await meanwhile();
        return opened;
      },
    };
    for (const ask of ["toWrite", "toRead"] as const) {
      meanwhile = async () => {};
      const keys = start(testActorContext(), slow);
      await keys.toWrite({ subject: "ada" });
      meanwhile = async () => void (await keys.forget({ subject: "ada" }));
      const asked = ask === "toWrite" ? keys.toWrite({ subject: "ada" }) : keys.toRead({ subjects: ["ada"] });
      expect(await asked).toEqual(ask === "toWrite" ? null : []);
    }
  });
});

describe("an Actor of subject keys that does not answer", () => {
  it("is unavailable after a bounded time, for whoever writes, reads or forgets", async () => {
    const time = virtualTime();
    const never = () => new Promise<never>(() => {});
    const silent = { toWrite: never, toRead: never, forget: never };
    const keys = actorSubjectKeys({ named: () => silent }, time);
    const outcomes: unknown[] = [];
    const began = time.clock();
    for (const asked of [keys.toWrite("ada"), keys.toRead(["ada", "bob"]), keys.forget("ada")])
      void asked.catch((thrown: unknown) => outcomes.push([thrown, time.clock() - began]));
    await time.pass(LIMITS.subjectKeysMs);
    const unavailable = [expect.any(ActorUnavailable), LIMITS.subjectKeysMs];
    expect(outcomes).toEqual([unavailable, unavailable, unavailable]);
  });

  it("is told from one that refuses", async () => {
    const refuse = () => Promise.reject(new Error("sealed by another"));
    const keys = actorSubjectKeys({ named: () => ({ toWrite: refuse, toRead: refuse, forget: refuse }) });
    await expect(keys.toRead(["ada"])).rejects.toThrow("sealed by another");
  });
});

describe("keys that an Actor remembers", () => {
  const setUp = (bounds: { max?: number } = {}) => {
    let now = 0;
    let asked = 0;
    const actors = new Map<string, ReturnType<typeof start>>();
    const named = (name: string) => {
      asked++;
      const known = actors.get(name) ?? start(testActorContext({ name }));
      actors.set(name, known);
      return known;
    };
    const keys: SubjectKeys = actorSubjectKeys({ named });
    const cached = () => cachedSubjectKeys({ keys, clock: () => now, cacheMs: 1_000, ...bounds });
    const count = async (work: () => Promise<unknown>) => {
      const before = asked;
      await work();
      return asked - before;
    };
    return { keys, cached, count, pass: (ms: number) => (now += ms) };
  };

  it("are asked for once in their time, many together", async () => {
    const { keys, cached, count, pass } = setUp();
    const subjects = Array.from({ length: 500 }, (_, n) => `s${n}`);
    await Promise.all(subjects.map((subject) => keys.toWrite(subject)));
    const own = cached();
    expect(await count(() => own.toRead([...subjects, "nobody"]))).toBeLessThanOrEqual(16);
    expect((await own.toRead(subjects)).size).toBe(500);
    expect(await count(() => own.toRead(subjects))).toBe(0);
    expect(await count(() => own.toWrite("s1"))).toBe(0);
    pass(1_000);
    expect(await count(() => own.toRead(["s1"]))).toBe(1);
  });

  it("are gone at once where the forgetting is heard of, and after their time elsewhere", async () => {
    const { cached, pass } = setUp();
    const [here, there, told] = [cached(), cached(), cached()];
    for (const one of [here, there, told]) await one.toWrite("ada");
    await here.forget("ada");
    told.gone("ada");
    for (const one of [here, told]) {
      expect(await one.toWrite("ada")).toBe("forgotten");
      expect((await one.toRead(["ada"])).size).toBe(0);
    }
    expect((await there.toRead(["ada"])).size).toBe(1);
    pass(1_000);
    expect((await there.toRead(["ada"])).size).toBe(0);
    expect(await there.toWrite("ada")).toBe("forgotten");
  });

  it("do not come back by an answer that was under way when the subject was forgotten", async () => {
    const { keys } = setUp();
    await keys.toWrite("ada");
    let meanwhile = () => {};
    const own = cachedSubjectKeys({
      keys: {
        ...keys,
        toRead: async (subjects) => {
          const found = await keys.toRead(subjects);
          meanwhile();
          return found;
        },
      },
      clock: () => 0,
    });
    meanwhile = () => own.gone("ada");
    expect((await own.toRead(["ada"])).size).toBe(0);
    expect((await own.toRead(["ada"])).size).toBe(0);
  });

  it("are a bounded number", async () => {
    const { cached, count } = setUp({ max: 2 });
    const own = cached();
    for (const subject of ["a", "b", "c"]) await own.toWrite(subject);
    expect(await count(() => own.toRead(["b", "c"]))).toBe(0);
    expect(await count(() => own.toRead(["a"]))).toBe(1);
  });
});
