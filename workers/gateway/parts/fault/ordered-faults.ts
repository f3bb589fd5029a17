/** What `Skerry-Fault` of a request orders. */
import { LIMITS } from "#shared/limits.ts";

export interface OrderedFaults {
  /** Undefined: none; "as configured" where the header gives no number. */
  readonly delayMs?: number | "as configured";
  readonly status?: number | "as configured";
}

const ORDER = /^(delay|abort)(?:=(\d{1,6}))?$/;
const CHARACTERS_MAX = 64;

/** `delay=250, abort`; what is no such order is not regarded, longer delays than may be are as long as may be. */
export const orderedFaults = (header: string): OrderedFaults => {
  const faults: { -readonly [Key in keyof OrderedFaults]: OrderedFaults[Key] } = {};
  for (const each of header.slice(0, CHARACTERS_MAX).split(",")) {
    const [, kind, digits] = ORDER.exec(each.trim()) ?? [];
    const value = digits === undefined ? "as configured" : Number(digits);
    if (kind === "delay")
      faults.delayMs = value === "as configured" ? value : Math.min(value, LIMITS.faultDelayMs);
    if (kind === "abort" && isFailure(value)) faults.status = value;
  }
  return faults;
};

const isFailure = (status: number | "as configured"): boolean =>
  status === "as configured" || (status >= 400 && status <= 599);
