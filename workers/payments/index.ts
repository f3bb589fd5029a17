/** Payments: what it is made of. */
import type { Upstream } from "#shared/http/upstream.ts";
import { bindingUpstream } from "#shared/http/upstream-binding.ts";
import { urlUpstream } from "#shared/http/upstream-url.ts";
import { LIMITS } from "#shared/limits.ts";
import { tracedD1 } from "#shared/storage/traced-d1.ts";
import { tracedUpstream } from "#shared/telemetry/upstream.ts";
import { type EventSourcedEnv, eventSourcedService } from "../event-sourced-service.ts";
import { ORDERS, ORDERS_EVENTS } from "../orders/contract.ts";
import { PAYMENTS, PAYMENTS_CONFIG, PAYMENTS_EVENTS, PAYMENTS_PROBLEMS } from "./contract.ts";
import { payment } from "./domain.ts";
import { d1PaymentStore } from "./payment-store.ts";
import { collectPayment } from "./processes/collect-payment.ts";
import { paymentsProjection } from "./projections/payments.ts";
import { httpPaymentProvider, type PaymentProvider } from "./provider.ts";
import { addPaymentRoutes } from "./routes.ts";

interface Env extends EventSourcedEnv {
  /** The provider's address. */
  PAYMENT_PROVIDER_URL?: string;
  /** The provider as a worker, bound in local runs; used unless the URL is set. */
  PAYMENT_PROVIDER?: Fetcher;
}

/** Says so at each request: what it is asked for is parked then, and `/readyz` names what is missing. */
const noProvider: Upstream = {
  fetch: () => Promise.reject(new Error("PAYMENT_PROVIDER_URL is not set")),
};

const upstreamOf = ({ PAYMENT_PROVIDER, PAYMENT_PROVIDER_URL }: Env): Upstream => {
  if (PAYMENT_PROVIDER_URL)
    return urlUpstream({ baseUrl: PAYMENT_PROVIDER_URL, timeoutMs: LIMITS.paymentProviderMaxMs });
  return PAYMENT_PROVIDER ? bindingUpstream(PAYMENT_PROVIDER) : noProvider;
};

/** Each request has its own deadline, by the configuration that is in force when it begins. */
const providerOf = (env: Env, timeoutMs: () => number): PaymentProvider => {
  const traced = tracedUpstream(upstreamOf(env), { service: "payment-provider" });
  return httpPaymentProvider(traced, () => AbortSignal.timeout(timeoutMs()));
};

const { handlers, Commander, Projector, Processor } = eventSourcedService<Env, typeof PAYMENTS_CONFIG>({
  name: PAYMENTS.service,
  major: PAYMENTS.major,
  version: PAYMENTS.version,
  description: "How orders are paid: authorised, declined or voided at the payment provider.",
  config: PAYMENTS_CONFIG,
  problems: PAYMENTS_PROBLEMS,
  aggregates: { [payment.type]: payment },
  events: PAYMENTS_EVENTS,
  sources: { [ORDERS.service]: ORDERS_EVENTS },
  shards: 4,
  projections: [paymentsProjection],
  processes: ({ env, commands, config }) => [
    collectPayment(
      commands,
      providerOf(env, () => config.get().providerTimeoutMs),
    ),
  ],
  missing: ({ PAYMENT_PROVIDER, PAYMENT_PROVIDER_URL }) =>
    PAYMENT_PROVIDER || PAYMENT_PROVIDER_URL ? [] : ["PAYMENT_PROVIDER_URL"],
  addRoutes: (app, { env, projectors }) =>
    addPaymentRoutes(app, {
      store: d1PaymentStore(tracedD1(env.DB, PAYMENTS.service)),
      projector: () => projectors.named(paymentsProjection.name),
    }),
});

export class PaymentCommander extends Commander {}
export class PaymentProjector extends Projector {}
export class PaymentProcessor extends Processor {}

export default handlers;
