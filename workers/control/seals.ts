/** The control plane's seals: at rest by its own keys, and anew for each service by the keys that it alone has. */
import { type Sealer, SealingError, sealer, serviceKeys } from "#shared/config/sealing.ts";
import { LIMITS } from "#shared/limits.ts";
import { replaceSealed, storedSecret } from "./documents/secrets.ts";
import type { ConfigSides } from "./part.ts";

export interface Seals {
  readonly atRest: Sealer;
  /** The same with each secret sealed for the service. Rejects with a {@link SealingError} when one cannot be opened. */
  sealFor(service: string, sides: ConfigSides): Promise<ConfigSides>;
}

/** @param keys `CONTROL_KEYS`; without keys, or with what are none, every sealing and opening is refused and says so */
export const createSeals = (keys: string | undefined): Seals => {
  const known = parsed(keys);
  if ("problem" in known) return refusing(known.problem);
  const { atRest } = known;
  const forServices = new Map<string, Sealer>();

  const sealerFor = async (service: string): Promise<Sealer> => {
    const made = forServices.get(service) ?? sealer({ keys: await serviceKeys(known.keys, service) });
    forServices.set(service, made);
    const [oldest] = forServices.keys();
    if (forServices.size > LIMITS.sealersKept && oldest !== undefined) forServices.delete(oldest);
    return made;
  };

  return {
    atRest,
    async sealFor(service, sides) {
      const value = await replaceSealed(sides, async (sealed, place, path) => {
        const text = await atRest.open(sealed, place);
        return storedSecret(await (await sealerFor(service)).seal(text, `${service}#${path}`));
      });
      return value === sides.value ? sides : { ...sides, value };
    },
  };
};

/** What is wrong with the keys; undefined when nothing is. */
export const keysProblem = (keys: string | undefined): string | undefined => {
  const known = parsed(keys);
  return "problem" in known ? known.problem : undefined;
};

type ParsedKeys = { readonly keys: string; readonly atRest: Sealer } | { readonly problem: string };

const parsed = (keys: string | undefined): ParsedKeys => {
  if (!keys) return { problem: "CONTROL_KEYS is not set" };
  try {
    return { keys, atRest: sealer({ keys }) };
  } catch (error) {
    if (error instanceof SealingError) return { problem: `CONTROL_KEYS: ${error.message}` };
    throw error;
  }
};

const refusing = (problem: string): Seals => {
  const refuse = (what: string) => Promise.reject(new SealingError(`${what}: ${problem}`));
  return {
    atRest: {
      keyId: "",
      seal: (_, place) => refuse(`the secret at "${place}" cannot be sealed`),
      open: (_, place) => refuse(`the secret at "${place}" cannot be opened`),
    },
    sealFor: async (service, sides) => ({
      ...sides,
      value: await replaceSealed(sides, (_, place) =>
        refuse(`the secret at "${place}" cannot be sealed for "${service}"`),
      ),
    }),
  };
};
