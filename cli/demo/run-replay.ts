/** The demo with a retail file: surveys it, stocks the shop for all of it, then plays its invoices in order. */
import { idempotencyKey } from "./idempotency-key.ts";
import { type LaneWork, runInLanes } from "./lanes.ts";
import { type OddityCount, oddityTally } from "./oddities.ts";
import { invoices, surveyProducts } from "./online-retail.ts";
import { followOrder, placeOrder, type StartedOrder } from "./order-journey.ts";
import type { OrderFigures } from "./order-tally.ts";
import { GUEST, type ReplayStep, replaySteps } from "./replay-steps.ts";
import { openRetailFile, retailRows } from "./retail-rows.ts";
import type { Run } from "./run-generated.ts";
import { setUpShop } from "./set-up-shop.ts";
import { ShopRefusal } from "./shop-client.ts";

export type ReplayReport = {
  invoices: number;
  products: number;
  /** Sales invoices of which at least one order was sent; `orders` counts their orders. */
  salesInvoices: number;
  /** From the first order until all were followed to their end. */
  orderingMs: number;
  orders: OrderFigures;
  cancellations: { accepted: number; tooLate: number; unmatched: number; failed: number };
  /** Parts of an earlier sale taken back, for which the shop has no request. */
  returns: number;
  /** Products or deliveries that the shop refused, one message each. */
  setUpRefusals: string[];
  oddities: OddityCount[];
};

/** A cancellation's reason is shorter than an InvoiceNo may be. */
const REASON_MAX = 200;

type Step<Kind extends ReplayStep["kind"]> = Extract<ReplayStep, { kind: Kind }>;

/** Reads the file twice, since a shop must know prices and stock before the first order. @throws CliFailure when it cannot */
export const runReplay = async (path: string, context: Run): Promise<ReplayReport> => {
  const { journey, progress, concurrency, run } = context;
  const { client, tally } = journey;
  const oddities = oddityTally();
  const invoicesOf = async (noted = oddityTally()) =>
    invoices(retailRows(await openRetailFile(path), noted), noted);
  const survey = await surveyProducts(await invoicesOf());
  const stock = [...survey.products.values()].map(({ quantity, ...product }) => ({
    ...product,
    available: quantity,
  }));
  const setUpRefusals = await setUpShop(stock, { client, concurrency, progress, run });

  const placedOf = new Map<number, StartedOrder[]>();
  const cancellations = { accepted: 0, tooLate: 0, unmatched: 0, failed: 0 };
  const counts = { salesInvoices: 0, returns: 0 };

  const sell = async ({ index, invoice, customerId, orders }: Step<"sale">) => {
    counts.salesInvoices += 1;
    const started: StartedOrder[] = [];
    for (const [part, lines] of orders.entries()) {
      const key = idempotencyKey(run, "invoice", invoice, index, part);
      const order = await placeOrder(journey, { customerId, lines }, key);
      if (order) started.push(order);
    }
    placedOf.set(index, started);
    const followed = Promise.all(started.map((order) => followOrder(journey, order)));
    return { settled: followed.then(progress.step) };
  };

  const cancel = async ({ invoice, saleIndex }: Step<"cancellation">) => {
    const orders = placedOf.get(saleIndex) ?? [];
    const answers = await Promise.all(
      orders.map(({ placed }) =>
        client
          .cancel(
            placed.orderId,
            `invoice ${invoice}`.slice(0, REASON_MAX),
            idempotencyKey(run, "cancel", invoice, placed.orderId),
          )
          .catch((error: unknown) => {
            if (!(error instanceof ShopRefusal)) throw error;
            return "failed" as const;
          }),
      ),
    );
    if (answers.length === 0 || answers.includes("failed")) cancellations.failed += 1;
    else if (answers.includes("too_late")) cancellations.tooLate += 1;
    else cancellations.accepted += 1;
    progress.step();
    return { settled: Promise.resolve() };
  };

  async function* work(): AsyncGenerator<LaneWork> {
    for await (const step of replaySteps(await invoicesOf(oddities), survey.products, oddities)) {
      if (step.kind === "sale")
        yield { lane: step.customerId === GUEST ? undefined : step.customerId, run: () => sell(step) };
      else if (step.kind === "cancellation") yield { lane: step.customerId, run: () => cancel(step) };
      else {
        if (step.kind === "return") counts.returns += 1;
        else cancellations.unmatched += 1;
        progress.step();
      }
    }
  }
  progress.begin("invoices", survey.playable);
  const startedAt = journey.clock();
  await runInLanes(work(), concurrency);
  progress.end();
  return {
    invoices: survey.invoices,
    products: survey.products.size,
    ...counts,
    orderingMs: journey.clock() - startedAt,
    orders: tally.figures(),
    cancellations,
    setUpRefusals,
    oddities: oddities.counts(),
  };
};
