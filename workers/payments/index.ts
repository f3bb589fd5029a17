/** Payments: what it is made of. */
import { bindingUpstream } from "#shared/http/upstream-binding.ts";
import { urlUpstream } from "#shared/http/upstream-url.ts";
import { LIMITS } from "#shared/limits.ts";
import { tracedUpstream } from "#shared/telemetry/upstream.ts";
import { type EventSourcedEnv, eventSourcedService } from "../event-sourced-service.ts";
import { PAYMENTS, PAYMENTS_PROBLEMS } from "./contract.ts";
import { payment } from "./domain.ts";
import { d1PaymentStore } from "./payment-store.ts";
import { collectPayment } from "./processes/collect-payment.ts";
import { paymentsProjection } from "./projections/payments.ts";
import { httpPaymentProvider, type PaymentProvider } from "./provider.ts";
import { addPaymentRoutes } from "./routes.ts";

interface Env extends EventSourcedEnv {
  /** The provider as a worker; used unless the URL is set. */
  PAYMENT_PROVIDER?: Fetcher;
  PAYMENT_PROVIDER_URL?: string;
}

const timeoutMs = LIMITS.paymentProviderMs;

const providerOf = ({ PAYMENT_PROVIDER, PAYMENT_PROVIDER_URL }: Env): PaymentProvider => {
  const upstream = PAYMENT_PROVIDER_URL
    ? urlUpstream({ baseUrl: PAYMENT_PROVIDER_URL, timeoutMs })
    : PAYMENT_PROVIDER && bindingUpstream(PAYMENT_PROVIDER);
  if (!upstream) {
    throw new Error("Cannot reach a payment provider: expected PAYMENT_PROVIDER or PAYMENT_PROVIDER_URL");
  }
  const traced = tracedUpstream(upstream, { service: "payment-provider" });
  return httpPaymentProvider(traced, () => AbortSignal.timeout(timeoutMs));
};

const { handlers, Commander, Projector, Processor } = eventSourcedService<Env>({
  name: PAYMENTS.service,
  major: PAYMENTS.major,
  description: "How orders are paid: authorised, declined or voided at the payment provider.",
  problems: PAYMENTS_PROBLEMS,
  aggregates: { [payment.type]: payment },
  shards: 4,
  projections: [paymentsProjection],
  processes: ({ env, commands }) => [collectPayment(commands, providerOf(env))],
  addRoutes: (app, { env, projectors }) =>
    addPaymentRoutes(app, {
      store: d1PaymentStore(env.DB),
      projector: () => projectors.named(paymentsProjection.name),
    }),
});

export class PaymentCommander extends Commander {}
export class PaymentProjector extends Projector {}
export class PaymentProcessor extends Processor {}

export default handlers;
