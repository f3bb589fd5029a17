/** What is wrong with a message's data, as one sentence that repeats nothing of it. */
import type { ZodError } from "zod";

const FAULT_CHARACTERS = 200;

export const messageFault = (subject: string, { issues }: ZodError): string => {
  const first = issues[0];
  const place = first && first.path.length > 0 ? ` at "${first.path.join(".").slice(0, 100)}"` : "";
  return `${subject}${place}: ${(first?.message ?? "not valid").slice(0, FAULT_CHARACTERS)}.`;
};
