/** Opens sealed values by keys that may turn out to be malformed: a service starts all the same. */
import { type Sealer, sealer } from "./sealing.ts";

/** Like a sealer that only opens; rejects with a `SealingError` each time when `keys` has not the form that it needs. */
export const lazySealer = (keys: string): Pick<Sealer, "open"> => {
  let made: Sealer | undefined;
  return {
    async open(sealed, place) {
      made ??= sealer({ keys });
      return made.open(sealed, place);
    },
  };
};
