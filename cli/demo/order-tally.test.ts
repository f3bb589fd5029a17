import { expect, it } from "vitest";
import { orderTally, percentiles } from "./order-tally.ts";

it("takes percentiles by nearest rank, whatever the order", () => {
  const values = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect(percentiles(values)).toEqual({ p50: 50, p99: 99 });
  expect(percentiles([7.04])).toEqual({ p50: 7, p99: 7 });
  expect(percentiles([])).toBeNull();
});

it("counts rejections by reason, and names only the first failures", () => {
  const tally = orderTally();
  for (const reason of ["out_of_stock", "payment_declined", "out_of_stock"]) tally.rejected(reason);
  for (let at = 0; at < 7; at++) tally.failed(`failure ${at}`);
  expect(tally.figures()).toMatchObject({
    rejected: 3,
    rejectedByReason: { out_of_stock: 2, payment_declined: 1 },
    failed: 7,
    failures: ["failure 0", "failure 1", "failure 2", "failure 3", "failure 4"],
  });
});
