/** A link to the control plane that knows what a test tells it. */
import type { CountedAnswer } from "#shared/control/arm-sums.ts";
import type { Instance, ServiceEntry } from "#shared/registry/instance.ts";
import type { RegistryLink } from "./registered-services.ts";

export interface FakeLink extends RegistryLink {
  /** Replaces the instances of the service; none end its registration. */
  register(service: string, ...instances: Instance[]): void;
  /** What the control plane knows and the isolate does not until it looks. */
  registerUnseen(service: string, ...instances: Instance[]): void;
  /** As an isolate that has heard of nothing; `load` succeeds or not. */
  becomeCold(loads: boolean): void;
  readonly counted: CountedAnswer[];
  readonly epochs: number[];
  /** How often `lookNow` was asked. */
  looks(): number;
}

let made = 0;

/** Up, of version 1.0.0, at the binding "SERVICE". */
export const instance = (fields: Partial<Instance> = {}): Instance => ({
  id: `i${made++}`,
  version: "1.0.0",
  state: "up",
  ...(fields.url === undefined && { binding: "SERVICE" }),
  weight: 1,
  metadata: {},
  ...fields,
});

export const fakeLink = (): FakeLink => {
  const known = new Map<string, ServiceEntry>();
  const unseen = new Map<string, ServiceEntry>();
  const counted: CountedAnswer[] = [];
  const epochs: number[] = [];
  let epoch = 0;
  let looks = 0;
  let loads: boolean | undefined;
  const entryOf = (service: string, instances: readonly Instance[]) => ({
    service,
    epoch: ++epoch,
    instances,
  });
  return {
    loaded: () => loads === undefined,
    load: async () => {
      if (loads) loads = undefined;
    },
    entry: (service) => (loads === undefined ? known.get(service) : undefined),
    entries: () => (loads === undefined ? known.values() : []),
    async lookNow() {
      looks++;
      for (const [service, entry] of unseen) known.set(service, entry);
      const news = unseen.size > 0;
      unseen.clear();
      return news;
    },
    saw: (met) => void epochs.push(met),
    count: (answer) => void counted.push(answer),
    register: (service, ...instances) => void known.set(service, entryOf(service, instances)),
    registerUnseen: (service, ...instances) => void unseen.set(service, entryOf(service, instances)),
    becomeCold: (willLoad) => {
      loads = willLoad;
    },
    counted,
    epochs,
    looks: () => looks,
  };
};
