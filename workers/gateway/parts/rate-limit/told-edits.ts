/** The `RateLimit` of an answer, made once for equal ones. */
import type { HeaderEdit } from "../../exchange.ts";

interface Told {
  readonly remaining: number;
  readonly seconds: number;
  readonly edit: HeaderEdit;
}

/** As many as are worth their memory: callers mostly have all but a few of their requests left. */
const SLOTS = 128;

/** Few values come again and again, and a string that was made before needs not be put together for each answer. */
export const toldEdits = (
  current: (verdict: { readonly remaining: number; readonly resetMs: number }) => string,
): ((verdict: { readonly remaining: number; readonly resetMs: number }) => HeaderEdit) => {
  const slots: (Told | undefined)[] = new Array(SLOTS).fill(undefined);
  return (verdict) => {
    const { remaining } = verdict;
    const seconds = Math.ceil(verdict.resetMs / 1_000);
    const slot = remaining & (SLOTS - 1);
    const known = slots[slot];
    if (known && known.remaining === remaining && known.seconds === seconds) return known.edit;
    const edit: HeaderEdit = { kind: "append", name: "ratelimit", value: current(verdict) };
    slots[slot] = { remaining, seconds, edit };
    return edit;
  };
};
