/** How a request is told that its version cannot be served. */
import { type Exchange, refusal } from "../../exchange.ts";
import type { VersionRefusal } from "./asked-version.ts";

const SHOWN = 60;
const shown = (text: string): string => JSON.stringify(text.slice(0, SHOWN));

/**
 * 400 for what cannot be read or contradicts itself, 406 for what there is not (RFC 9110 section 15.5.7), 404 without any
 * version. Whoever answers with it says in `Vary` what it depends on, as for any other answer.
 */
export const refuseVersion = (
  exchange: Pick<Exchange, "path" | "requestId">,
  refused: VersionRefusal,
): Response => {
  switch (refused.code) {
    case "unversioned": {
      const path = JSON.stringify(exchange.path.slice(0, 200));
      return refusal(exchange, "not_found", `Looking for ${path}: no such address.`);
    }
    case "unreadable": {
      const detail = `Reading the header "${refused.header}": ${shown(refused.value)}; expected a version as "1" or "1.4".`;
      return refusal(exchange, "invalid_parameter", detail);
    }
    case "conflict": {
      const detail = `Finding the version: ${shown(refused.one)} and ${shown(refused.other)}; expected one major version.`;
      return refusal(exchange, "version_conflict", detail);
    }
    case "not_offered": {
      const offered = refused.offered.map((each) => `"${each}"`).join(", ");
      const expected = offered === "" ? "there is none at the moment" : `expected one of ${offered}`;
      return refusal(exchange, "version_not_offered", `Looking for version "${refused.asked}": ${expected}.`);
    }
  }
};
