/** A run's report as the lines that a person reads. */
import type { OrderFigures, Percentiles } from "./order-tally.ts";
import type { GeneratedReport } from "./run-generated.ts";
import type { ReplayReport } from "./run-replay.ts";

export type RunFacts = { run: string; retries: number };

export const generatedSummary = (report: GeneratedReport, facts: RunFacts): string =>
  lines([
    heading(report, facts),
    ...orderRows(report.orders),
    row(
      "cancellations",
      `${report.cancellations.accepted} accepted, ${report.cancellations.tooLate} too late`,
    ),
  ]);

export const replaySummary = (report: ReplayReport, facts: RunFacts): string => {
  const { accepted, tooLate, unmatched, failed } = report.cancellations;
  return lines([
    heading(report, facts),
    row(
      "invoices",
      `${report.invoices}, ${report.salesInvoices} of them sales, of ${report.products} products`,
    ),
    ...orderRows(report.orders),
    row(
      "cancellations",
      `${accepted} accepted, ${tooLate} too late, ${unmatched} unmatched, ${failed} failed`,
    ),
    row("returns", `${report.returns} (parts of an earlier sale; the shop has no request for them)`),
    ...report.setUpRefusals.slice(0, 5).map((message) => row("refused", message)),
    ...(report.setUpRefusals.length > 5 ? [row("refused", `${report.setUpRefusals.length} in all`)] : []),
    "",
    "Oddities of the file",
    ...report.oddities.map(
      ({ count, meaning, example }) =>
        `${String(count).padStart(7)}  ${meaning}\n${" ".repeat(9)}e.g. ${example}`,
    ),
  ]);
};

const heading = (
  { orders: { placed }, orderingMs }: GeneratedReport | ReplayReport,
  { run, retries }: RunFacts,
): string => {
  const seconds = Math.max(orderingMs, 1) / 1000;
  const rate = Math.round(placed / seconds);
  return `Run "${run}": ${placed} orders in ${seconds.toFixed(1)} s, ${rate} a second; requests sent again: ${retries}`;
};

const orderRows = (figures: OrderFigures): string[] => {
  const reasons = Object.entries(figures.rejectedByReason).map(([reason, count]) => `${count} ${reason}`);
  return [
    row("placed", figures.placed),
    row("confirmed", figures.confirmed),
    row("rejected", reasons.length > 0 ? `${figures.rejected} (${reasons.join(", ")})` : figures.rejected),
    row("cancelled", figures.cancelled),
    row("failed", figures.failed),
    ...figures.failures.map((message) => row("", message)),
    row("unsettled", figures.unsettled),
    ...figures.unsettledOrders.map((orderId) =>
      row("", `order "${orderId}" had not ended when following it was given up`),
    ),
    row("placing", latency(figures.placingMs)),
    row("until confirmed", latency(figures.confirmedMs)),
  ];
};

const latency = (figures: Percentiles | null): string =>
  figures ? `p50 ${figures.p50} ms, p99 ${figures.p99} ms` : "none measured";

const row = (name: string, value: string | number): string => `  ${name.padEnd(16)} ${value}`;

const lines = (all: string[]): string => `${all.join("\n")}\n`;
