/** Which arm of a roll-out made an answer: noted in the active context while the answer is made. */
import { context, createContextKey } from "@opentelemetry/api";
import type { ArmCount } from "../control/changes.ts";

/** What was read last while an answer was made; a candidate's mark stays, because the answer is of its making too. */
export interface ArmNote {
  taken?: { readonly rollout: string; readonly arm: ArmCount["arm"] };
}

const KEY = createContextKey("skerry arm of a roll-out");

/** Runs `work` so that {@link noteArm} writes into `note`. */
export const withArmNote = <T>(note: ArmNote, work: () => T): T =>
  context.with(context.active().setValue(KEY, note), work);

/** Does nothing outside of {@link withArmNote}. */
export const noteArm = (rollout: string, arm: ArmCount["arm"]): void => {
  const note = context.active().getValue(KEY) as ArmNote | undefined;
  if (note && note.taken?.arm !== "candidate") note.taken = { rollout, arm };
};
