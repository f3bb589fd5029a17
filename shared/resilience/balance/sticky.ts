/** Sticky sessions: a cookie's value names the instance that a client was sent to before. */
import { fnv1a } from "../../cqrs/fnv1a.ts";
import type { Balanced, PickOptions } from "./balancer.ts";

/** What the cookie is set to. A digest, for ids may tell of machines; it gives no rights, so it needs no signature. */
export const stickyValue = ({ id }: Pick<Balanced, "id">): string =>
  fnv1a(id).toString(36) + fnv1a(`${id}\u0000`).toString(36);

/** Finds whom a cookie names: the values of a list are worked out once, and go with it. */
export const stickyTargets = <Target extends Balanced>() => {
  const known = new WeakMap<readonly Target[], ReadonlyMap<string, Target>>();
  return {
    /** Undefined when it is gone or excepted: then another is chosen, and the cookie set anew. */
    named(
      value: string,
      eligible: readonly Target[],
      except?: PickOptions<Target>["except"],
    ): Target | undefined {
      let byValue = known.get(eligible);
      if (!byValue) {
        byValue = new Map(eligible.map((target) => [stickyValue(target), target]));
        known.set(eligible, byValue);
      }
      const target = byValue.get(value);
      return target && !except?.(target) ? target : undefined;
    },
  };
};

/**
 * The `Set-Cookie` (RFC 6265bis section 4.1) of an answer, for as long as the browser's session; undefined when the client has
 * it already. To be asked with the instance that has answered: after a retry that is another than the one named before.
 * @param client.had the cookie's value in the request
 * @param client.secure whether the request came by https
 */
export const stickySetCookie = (
  name: string,
  target: Pick<Balanced, "id">,
  { had, secure }: { readonly had: string | undefined; readonly secure: boolean },
): string | undefined => {
  const value = stickyValue(target);
  if (value === had) return undefined;
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
};
