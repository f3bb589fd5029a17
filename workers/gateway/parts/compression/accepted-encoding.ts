/** Which content coding a client wants (RFC 9110 section 12.5.3). */

export interface AcceptedEncoding<Encoding extends string> {
  /** The best of those offered; undefined where the client prefers the answer as it is. */
  readonly encoding: Encoding | undefined;
  /** Whether the client refuses the answer as it is. */
  readonly identityRefused: boolean;
}

const ENTRIES_MAX = 32;
const WEIGHT = /^q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/i;

/**
 * By weight first, then by the order of `offered`.
 * @param header `Accept-Encoding`; null and empty ask for the answer as it is
 */
export const acceptedEncoding = <Encoding extends string>(
  header: string | null,
  offered: readonly Encoding[],
): AcceptedEncoding<Encoding> => {
  const weights = weightsIn(header ?? "");
  const other = weights.get("*");
  const said = weights.get("identity");
  // Unless it is refused the answer as it is may always be sent; asked for by name it has its own weight.
  const identityRefused = said === 0 || (said === undefined && other === 0);
  let encoding: Encoding | undefined;
  let best = said ?? 0;
  for (const each of offered) {
    const weight = weights.get(each) ?? (each === "gzip" ? weights.get("x-gzip") : undefined) ?? other ?? 0;
    if (weight === 0 || (encoding === undefined ? weight < best : weight <= best)) continue;
    encoding = each;
    best = weight;
  }
  return { encoding, identityRefused };
};

/** By coding in lower case. An entry that is not well-formed says nothing. */
const weightsIn = (header: string): ReadonlyMap<string, number> => {
  const weights = new Map<string, number>();
  for (const entry of header.split(",", ENTRIES_MAX)) {
    const [coding = "", parameter] = entry.split(";", 2);
    const weight = parameter === undefined ? 1 : weightOf(parameter.trim());
    if (weight !== undefined && coding.trim() !== "") weights.set(coding.trim().toLowerCase(), weight);
  }
  return weights;
};

const weightOf = (parameter: string): number | undefined => {
  const [, weight] = WEIGHT.exec(parameter) ?? [];
  return weight === undefined ? undefined : Number(weight);
};
