/** Says in `Vary` what an answer depends on (RFC 9110 section 12.5.5), once. */
import { type Exchange, editAnswer } from "./exchange.ts";

/** @param names lower case; those that the answer names itself are not repeated */
export const varyBy = (exchange: Exchange, answer: Response, names: readonly string[]): void => {
  const said = answer.headers.get("vary");
  const known = said === null ? [] : said.split(",").map((each) => each.trim().toLowerCase());
  if (known.includes("*")) return;
  const missing = names.filter((name) => !known.includes(name));
  if (missing.length > 0) editAnswer(exchange, { kind: "append", name: "vary", value: missing.join(", ") });
};
