/** Positions of the logs as clients see them: `orders=1234`, several separated by commas. */

import type { Failure } from "../http/errors.ts";
import { err, ok, type Result } from "../result.ts";

/** In a command's answer: where the command stands in its service's log. */
export const POSITION_HEADER = "Skerry-Position";
/** In a query: the answer must hold everything up to here. */
export const MIN_POSITION_HEADER = "Skerry-Min-Position";

const ENTRY = /^([a-z][a-z0-9-]{0,62})=(\d{1,15})$/;
const ENTRIES_MAX = 32;

export const formatPosition = (service: string, position: number): string => `${service}=${position}`;

/** The position that the header asks of `service`; 0 when it asks nothing of it. */
export const parseMinPosition = (
  header: string | undefined,
  service: string,
): Result<number, Failure<"invalid_parameter">> => {
  if (header === undefined) return ok(0);
  const entries = header.split(",", ENTRIES_MAX + 1).map((entry) => ENTRY.exec(entry.trim()));
  if (entries.length > ENTRIES_MAX || entries.includes(null)) {
    return err({
      code: "invalid_parameter",
      detail: `Cannot read ${MIN_POSITION_HEADER} "${header.slice(0, 100)}": expected at most ${ENTRIES_MAX} of <service>=<number>, separated by commas`,
    });
  }
  const own = entries.filter((entry) => entry?.[1] === service).map((entry) => Number(entry?.[2]));
  return ok(Math.max(0, ...own));
};
