/** What kind of place a host is, as the WHATWG URL parser writes it: addresses by their ranges, names by their domain. */

/** `private` is what only those nearby can reach, `forbidden` what no instance ever is. */
export type AddressKind = "public" | "private" | "forbidden";

/** @param host an address in the parser's own form, IPv6 in brackets, or a lower-case name without its last dot */
export const addressKindOf = (host: string): AddressKind => {
  if (host.startsWith("[")) return kindOfIpv6(groupsOf(host));
  if (/^[0-9]+(\.[0-9]+){3}$/.test(host)) return kindIn(IPV4, ipv4Bits(host), "public");
  const local = !host.includes(".") || LOCAL_DOMAINS.some((domain) => host.endsWith(domain));
  return local ? "private" : "public";
};

/** Services of clouds that hand out credentials to whoever asks from inside. */
export const isMetadataHost = (host: string): boolean => METADATA_HOSTS.has(host);

const METADATA_HOSTS = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
  "[fd00:ec2::254]",
  "[fd00:ec2::23]",
  "[fd20:ce::254]",
  "metadata",
  "metadata.goog",
  "metadata.google.internal",
  "metadata.azure.internal",
  "metadata.azure.com",
  "metadata.tencentyun.com",
  "metadata.platformequinix.com",
  "metadata.packet.net",
  "instance-data",
  "instance-data.ec2.internal",
]);

const LOCAL_DOMAINS = [".localhost", ".local", ".internal", ".lan", ".home.arpa", ".intranet", ".corp"];

type Range = readonly [prefix: bigint, bits: number, kind: AddressKind];

const ipv4Bits = (address: string): bigint =>
  address.split(".").reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);

const ipv4Range = (text: string, kind: AddressKind): Range => {
  const [address = "", bits = "32"] = text.split("/");
  return [ipv4Bits(address), Number(bits), kind];
};

/** IANA's registry of special-purpose addresses. https://www.iana.org/assignments/iana-ipv4-special-registry */
const IPV4: readonly Range[] = [
  ...["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"].map((range) =>
    ipv4Range(range, "forbidden"),
  ),
  ...[
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
  ].map((range) => ipv4Range(range, "private")),
];

const kindIn = (
  ranges: readonly Range[],
  address: bigint,
  otherwise: AddressKind,
  width = 32,
): AddressKind => {
  const within = ([prefix, bits]: Range) =>
    address >> BigInt(width - bits) === prefix >> BigInt(width - bits);
  return ranges.find(within)?.[2] ?? otherwise;
};

/** The eight groups of an address in brackets, "::" written out. */
const groupsOf = (host: string): number[] => {
  const [head = "", tail] = host.slice(1, -1).split("::");
  const numbers = (text: string) =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  if (tail === undefined) return numbers(head);
  const [before, after] = [numbers(head), numbers(tail)];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
};

const ipv6Bits = (groups: readonly number[]): bigint =>
  groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);

const ipv6Range = (text: string, kind: AddressKind): Range => {
  const [address = "", bits = "128"] = text.split("/");
  return [ipv6Bits(groupsOf(`[${address}]`)), Number(bits), kind];
};

/**
 * The first that fits counts. Those that carry an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo) would pass every
 * rule about it; who means the IPv4 address can write it.
 */
const IPV6: readonly Range[] = [
  ipv6Range("::1/128", "private"),
  ...[
    "::/96",
    "::ffff:0:0/96",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "2002::/16",
    "2001::/32",
  ].map((range) => ipv6Range(range, "forbidden")),
  ...["fe80::/10", "ff00::/8"].map((range) => ipv6Range(range, "forbidden")),
  ...["fc00::/7", "fec0::/10", "2001:db8::/32", "3fff::/20"].map((range) => ipv6Range(range, "private")),
  ipv6Range("2000::/3", "public"),
];

const kindOfIpv6 = (groups: readonly number[]): AddressKind =>
  kindIn(IPV6, ipv6Bits(groups), "forbidden", 128);
