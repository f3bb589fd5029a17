/** Wires the fake provider: one Durable Object holds its state, so that it survives restarts. */
import { DurableObject } from "cloudflare:workers";
import type { ActorCall } from "#shared/runtime/actor.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { durableActors, hostDurableActor } from "#shared/runtime/durable-actor.ts";
import { providerApp } from "./app.ts";
import { type ProviderMethods, paymentProvider } from "./provider.ts";

interface Env {
  PROVIDER: DurableObjectNamespace<PaymentProvider>;
}

export class PaymentProvider extends DurableObject<Env> {
  readonly #actor = hostDurableActor(this.ctx, paymentProvider, { kind: "fake-payment-provider" });

  call(call: ActorCall): Promise<unknown> {
    return this.#actor.call(call);
  }
}

export default {
  fetch(request, env) {
    const provider = durableActors<ProviderMethods>(env.PROVIDER).named("provider");
    return providerApp(provider, { clock: systemClock, sleep, newId: () => crypto.randomUUID() }).fetch(
      request,
    );
  },
} satisfies ExportedHandler<Env>;
