/** The epoch beside each answer of the control plane's Actor: who wrote can say where to look for it, and asks nothing more. */
import type { ActorMethods } from "#shared/runtime/actor.ts";

/** What travels for each answer. */
interface Told {
  /** The newest epoch when the answer was made. */
  readonly epoch: number;
  readonly answer: unknown;
}

/** The same methods as others reach them: each answers with the epoch beside what it answers. */
export type Telling<Methods extends ActorMethods> = {
  [Name in keyof Methods]: (input: Parameters<Methods[Name]>[0]) => Promise<{
    readonly epoch: number;
    readonly answer: Awaited<ReturnType<Methods[Name]>>;
  }>;
};

export const tellingEpoch = <Methods extends ActorMethods>(
  methods: Methods,
  epoch: () => number,
): Telling<Methods> =>
  Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      async (input: unknown): Promise<Told> => {
        const answer = await method(input);
        return { epoch: epoch(), answer };
      },
    ]),
  ) as Telling<Methods>;

export interface HeardEpoch<Methods extends ActorMethods> {
  readonly methods: Methods;
  /** The newest epoch that any answer came with; 0 before the first one. */
  newest(): number;
}

/** What calls `telling` and is answered as without the epochs, which it remembers. */
export const hearingEpoch = <Methods extends ActorMethods>(
  telling: Telling<Methods>,
): HeardEpoch<Methods> => {
  let newest = 0;
  const callOf = (name: keyof Methods & string) => async (input: unknown) => {
    const { epoch, answer } = await telling[name](input);
    newest = Math.max(newest, epoch);
    return answer;
  };
  // What has a `then` would be taken for a promise by `await`.
  const methods = new Proxy(telling as unknown as Methods, {
    get: (_, name) => (typeof name === "string" && name !== "then" ? callOf(name) : undefined),
  });
  return { methods, newest: () => newest };
};
