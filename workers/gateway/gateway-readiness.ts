/** What the gateway's `/readyz` asks: every registered service, the monitor, the control plane, and its own key. */
import type { Readiness, ReadinessCheck } from "#shared/http/readiness.ts";
import type { Upstream } from "#shared/http/upstream.ts";
import { ANYBODY } from "#shared/identity/caller.ts";
import type { IdentityMinter } from "#shared/identity/identity-minter.ts";
import { LIMITS } from "#shared/limits.ts";
import { err, ok } from "#shared/result.ts";
import type { RegisteredServices } from "./registered-services.ts";

export interface GatewayReadinessOptions {
  readonly services: RegisteredServices;
  readonly monitor: Upstream;
  readonly control: Upstream;
  /** Tells services who calls; without it those that check refuse everything, so that the gateway is not ready. */
  readonly minter?: IdentityMinter | undefined;
}

/** The checks of this moment: services come and go. Of more than `LIMITS.readinessServices` the first by name are asked. */
export const gatewayReadiness = (options: GatewayReadinessOptions): readonly ReadinessCheck[] => {
  const { services, monitor, control, minter } = options;
  const listed = services.list().slice(0, LIMITS.readinessServices);
  return [
    ...(listed.length === 0 ? [NOTHING_REGISTERED] : []),
    ...listed.map(({ name, majors }) => serviceCheck(services, name, majors)),
    upstreamCheck("monitor", monitor),
    upstreamCheck("control", control),
    identityCheck(minter),
  ];
};

/** Signs as for a request of nobody known: a key may have the right form and be none. */
const identityCheck = (minter: IdentityMinter | undefined): ReadinessCheck => ({
  name: "identity",
  async check() {
    if (!minter) return err({ detail: "IDENTITY_PRIVATE_KEYS not set: expected as a secret of the worker" });
    try {
      return ok(await minter.mint(ANYBODY));
    } catch {
      return err({ detail: "the first key in IDENTITY_PRIVATE_KEYS cannot sign" });
    }
  },
});

const NOTHING_REGISTERED: ReadinessCheck = {
  name: "registry",
  check: async () => err({ detail: "no service is registered" }),
};

/** A process may be probed at another path than `/readyz`: then the registry's word, by which it is healthy, is enough. */
const NO_SUCH_PATH = 404;

/** Asks an instance of the newest major version that has a healthy one. */
const serviceCheck = (
  services: RegisteredServices,
  service: string,
  majors: readonly number[],
): ReadinessCheck => {
  for (const major of majors.toReversed()) {
    const found = services.findOne({ service, version: `v${major}`, major });
    if (found.ok) return upstreamCheck(service, found.value, NO_SUCH_PATH);
  }
  return { name: service, check: async () => err({ detail: "none of its instances is healthy" }) };
};

/** Ready when its own `/readyz` says so; what it lacks is passed on by name. */
const upstreamCheck = (name: string, upstream: Upstream, alsoReady?: number): ReadinessCheck => ({
  name,
  async check() {
    const response = await upstream.fetch(new Request(`http://${name}/readyz`));
    if (response.ok || response.status === alsoReady) {
      await response.body?.cancel();
      return ok(undefined);
    }
    return err({ detail: await missingIn(response) });
  },
});

const missingIn = async (response: Response): Promise<string> => {
  try {
    const { checks } = (await response.json()) as Readiness;
    const failed = checks.filter(({ ready }) => !ready);
    return failed.map(({ name, detail }) => `${name}: ${detail}`).join("; ");
  } catch {
    return `it answered ${response.status}, expected 200`;
  }
};
