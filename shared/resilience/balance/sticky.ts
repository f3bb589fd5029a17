/** Sticky sessions: a cookie's value names the instance that a client was sent to before. */
import { fnv1a } from "../../cqrs/fnv1a.ts";
import type { Balanced, PickOptions } from "./balancer.ts";

/** What the cookie is set to. A digest, for ids may tell of machines; it gives no rights, so it needs no signature. */
export const stickyValue = ({ id }: Pick<Balanced, "id">): string =>
  fnv1a(id).toString(36) + fnv1a(`${id}\u0000`).toString(36);

/** Finds whom a cookie names. One for each service and major: it remembers the values of one list. */
export const stickyTargets = <Target extends Balanced>() => {
  let list: readonly Target[] | undefined;
  let byValue: ReadonlyMap<string, Target> = new Map();
  return {
    /** Undefined when it is gone or excepted: then another is chosen, and the cookie set anew. */
    named(
      value: string,
      eligible: readonly Target[],
      except?: PickOptions<Target>["except"],
    ): Target | undefined {
      if (list !== eligible) {
        byValue = new Map(eligible.map((target) => [stickyValue(target), target]));
        list = eligible;
      }
      const target = byValue.get(value);
      return target && !except?.(target) ? target : undefined;
    },
  };
};
