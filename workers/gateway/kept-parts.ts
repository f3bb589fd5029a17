/** Parts that remember something outlive a change of the configuration that leaves their own settings as they were. */
import { LIMITS } from "#shared/limits.ts";

export interface KeptParts {
  /** The part of this name and these settings; made when there is none, or its settings were others. */
  keep<Made>(route: string, part: string, settings: unknown, make: () => Made): Made;
}

interface Kept {
  readonly settings: string;
  readonly made: unknown;
}

export const keptParts = (): KeptParts => {
  const kept = new Map<string, Kept>();
  return {
    keep<Made>(route: string, part: string, settings: unknown, make: () => Made): Made {
      const place = `${part} ${route}`;
      const text = JSON.stringify(settings);
      const known = kept.get(place);
      kept.delete(place);
      const now = known?.settings === text ? known : { settings: text, made: make() };
      // Those put together least lately make room: a route that is gone is among them sooner or later.
      if (kept.size >= LIMITS.gatewayPartsKept) kept.delete(kept.keys().next().value ?? "");
      kept.set(place, now);
      return now.made as Made;
    },
  };
};
