/** What one client has of addresses: one of IPv4, a /64 of IPv6 (RFC 6177). */

/**
 * @param address IPv4 in dots, IPv6 as RFC 5952 writes it, or nothing
 * @returns the IPv4 address, or the first four groups of the IPv6 one
 */
export const clientNetwork = (address: string): string => {
  if (!address.includes(":")) return address;
  const end = endOfGroups(address, 4);
  return end === undefined ? fourGroups(address) : address.slice(0, end);
};

const COLON = 58;

/** Undefined when groups of zeros are left out before: few addresses of clients are so, and they are taken apart. */
const endOfGroups = (address: string, count: number): number | undefined => {
  let groups = 0;
  for (let at = 0; at < address.length; at++) {
    if (address.charCodeAt(at) !== COLON) continue;
    groups++;
    if (groups === count) return at;
    if (address.charCodeAt(at + 1) === COLON) return undefined;
  }
  return undefined;
};

const fourGroups = (address: string): string => {
  const [head = [], tail = []] = address.split("::", 2).map((part) => (part === "" ? [] : part.split(":")));
  const zeros = new Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0");
  return [...head, ...zeros, ...tail].slice(0, 4).join(":");
};
