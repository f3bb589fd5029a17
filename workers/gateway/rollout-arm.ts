/** `Skerry-Config: <roll-out>; arm=candidate|stable`: how a service marks an answer that it made under a roll-out. */
import type { CountedAnswer } from "#shared/control/arm-sums.ts";

const MARK = /^([\x21-\x3a\x3c-\x7e]{1,128}); arm=(candidate|stable)$/;

/** Undefined when the answer was made under no roll-out, or the header does not have its form. */
export const rolloutArm = (header: string | null): Pick<CountedAnswer, "rollout" | "arm"> | undefined => {
  const match = header === null ? null : MARK.exec(header);
  return match ? { rollout: match[1] ?? "", arm: match[2] as CountedAnswer["arm"] } : undefined;
};
