/** Whose requests are counted together, as a key. */
import { LIMITS } from "#shared/limits.ts";
import { cookieOf } from "../../cookies.ts";
import type { Exchange } from "../../exchange.ts";
import { clientNetwork } from "./client-network.ts";
import type { CountedBy } from "./named-limits.ts";

/**
 * Bounded, whatever the request says. A caller, header or cookie that is not there counts by the client's address, so
 * that nobody escapes by leaving it out, and clients without it do not use up each other's requests. Clients whose
 * address cannot be known are one.
 */
export const rateLimitKey = (by: CountedBy): ((exchange: Exchange) => string) => {
  if (by === "route") return () => "";
  if (by === "client") return networkOf;
  const saidBy = valueReader(by);
  return (exchange) => {
    const value = saidBy(exchange);
    // Told apart by the first character, or a subject could be written like somebody's address.
    return value ? `=${value.slice(0, LIMITS.rateLimitKeyCharacters)}` : `@${networkOf(exchange)}`;
  };
};

const valueReader = (
  by: Exclude<CountedBy, "route" | "client">,
): ((exchange: Exchange) => string | null | undefined) => {
  // A tenant has no slash in it, so that nobody's name is written like that of another one's caller.
  if (by === "caller") return ({ caller }) => caller && `${caller.tenant ?? ""}/${caller.subject}`;
  if (by === "tenant") return ({ caller }) => caller?.tenant;
  if ("header" in by) return ({ request }) => request.headers.get(by.header);
  return ({ request }) => cookieOf(request.headers.get("cookie") ?? "", by.cookie);
};

const networkOf = ({ clientAddress = "" }: Exchange): string => clientNetwork(clientAddress);
