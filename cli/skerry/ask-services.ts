/** Asks services side by side; one that is down keeps nobody from seeing what the others say. */
import { ControlRefusal, EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";

export interface Asked<Found> {
  readonly found: readonly Found[];
  /** Why services that are down said nothing, one line for each. */
  readonly silent: readonly string[];
}

interface NamedService {
  readonly service: string;
}

/** @throws what a service refuses for another reason than being down, and what the only one that was asked refuses */
export const askServices = async <Service extends NamedService, Found>(
  services: readonly Service[],
  ask: (service: Service) => Promise<readonly Found[]>,
): Promise<Asked<Found>> => {
  const asked = await Promise.all(services.map((service) => foundOrSilent(service, ask)));
  const failures = asked.flatMap(({ failure }) => failure ?? []);
  if (failures[0] && services.length === 1) throw failures[0];
  return {
    found: asked.flatMap(({ found }) => found),
    silent: asked.flatMap(({ failure }, at) =>
      failure ? `"${services[at]?.service}" said nothing: ${failure.message}` : [],
    ),
  };
};

const foundOrSilent = async <Service, Found>(
  service: Service,
  ask: (service: Service) => Promise<readonly Found[]>,
): Promise<{ found: readonly Found[]; failure?: ControlRefusal }> => {
  try {
    return { found: await ask(service) };
  } catch (failure) {
    if (failure instanceof ControlRefusal && failure.exitCode === EXIT.unreachable)
      return { found: [], failure };
    throw failure;
  }
};

/** After what was found is told. @throws CliFailure with exit code 6 when a service said nothing */
export const tellSilent = ({ silent }: Asked<unknown>): void => {
  if (silent.length > 0) throw new CliFailure(silent.join("\n"), EXIT.unreachable);
};

/** The end of a line that says what was looked for in vain. */
export const besides = ({ silent }: Asked<unknown>): string => silent.map((why) => `; ${why}`).join("");
