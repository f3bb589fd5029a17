/** What is wrong with a message's data, as one sentence that repeats nothing of it. */
import type { ZodError } from "zod";

const FAULT_CHARACTERS = 200;

/** What a declaration calls a field; the key of a record may be anything, an address too. */
const FIELD = /^\w{1,64}$/;

export const messageFault = (subject: string, { issues }: ZodError): string => {
  const first = issues[0];
  const place = (first?.path ?? []).map((part) => (FIELD.test(String(part)) ? String(part) : "*")).join(".");
  return `${subject}${place === "" ? "" : ` at "${place.slice(0, 100)}"`}: ${faultOf(first)}.`;
};

const faultOf = (issue: ZodError["issues"][number] | undefined): string => {
  if (issue?.code === "unrecognized_keys") return "Unrecognized keys";
  return (issue?.message ?? "not valid").slice(0, FAULT_CHARACTERS);
};
