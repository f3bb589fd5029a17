/** The forms that several services share: money, ids, times. */
import * as z from "zod";
import { AGGREGATE_ID } from "../events/event.ts";
import { CURRENCIES } from "./currencies.ts";

/** A currency that is in use: ISO 4217, upper case. */
export const currencySchema = z.enum(CURRENCIES).meta({ description: "ISO 4217 code", example: "EUR" });

/** An amount in the currency's minor units (cents), never a fraction. */
export const moneySchema = z.strictObject({
  amount: z.int().min(0).meta({ description: "Minor units of the currency", example: 1999 }),
  currency: currencySchema,
});

export type Money = z.infer<typeof moneySchema>;

/** Safe in a URL, a header and a NATS subject. */
export const skuSchema = z
  .string()
  .regex(AGGREGATE_ID, "expected 1 to 64 of A-Z a-z 0-9 _ -")
  .meta({ description: "Stock keeping unit", example: "tea-500" });

export const uuidSchema = z
  .uuidv7("expected a UUID of version 7")
  .meta({ example: "01932f6e-8f3a-7c52-b1de-0a4f6c1d9e77" });

/** RFC 3339 in UTC with milliseconds. */
export const timestampSchema = z.iso.datetime({ precision: 3 }).meta({ example: "2026-01-31T12:00:00.000Z" });
