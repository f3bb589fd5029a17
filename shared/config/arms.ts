/** Who takes the candidate of a roll-out. */
import type { ArmCount, Rollout } from "../control/changes.ts";
import { takesPart } from "./stable-share.ts";

/** For whom something is read. */
export interface Reader {
  /** The isolate that reads. */
  readonly isolate: string;
  /** On whose behalf: a customer, a tenant. */
  readonly key?: string | undefined;
}

/** The reader's arm; undefined for a roll-out by key when there is none: such a reader takes no part and gets what is stable. */
export const armOf = (
  { id, by, percentage }: Pick<Rollout, "id" | "by" | "percentage">,
  { isolate, key }: Reader,
): ArmCount["arm"] | undefined => {
  const member = by === "isolate" ? isolate : key;
  if (member === undefined) return undefined;
  return takesPart(id, member, percentage) ? "candidate" : "stable";
};
