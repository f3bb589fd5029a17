/**
 * Fields that many events have. A published schema never changes, so nothing here follows a list that grows, as the
 * currencies in use do: what may come in is the routes' and the domain's to say.
 */
import * as z from "zod";
import type { Money } from "../http/schemas.ts";
import { AGGREGATE_ID } from "./event.ts";

/** What can name an aggregate: an order's id, a sku. */
export const idField = z.string().regex(AGGREGATE_ID);

/** RFC 3339 UTC with milliseconds, as `rfc3339` writes it. */
export const timeField = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  .meta({ format: "date-time" });

/** Pieces, one or more. */
export const quantityField = z.int().min(1);

const currencyField = z.string().regex(/^[A-Z]{3}$/) as unknown as z.ZodType<
  Money["currency"],
  Money["currency"]
>;

/** An amount in the currency's minor units, never a fraction. */
export const moneyField = z.strictObject({ amount: z.int().min(0), currency: currencyField });
