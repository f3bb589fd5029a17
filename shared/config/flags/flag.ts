/** A feature flag as documents hold it. */
import { z } from "zod";

const valueSchema = z.union([z.boolean(), z.string().max(1_024), z.number(), z.record(z.string(), z.json())]);

/** Shares in percent by variant: they sum up to 100. */
const splitSchema = z
  .record(z.string().min(1).max(64), z.number().min(0).max(100))
  .refine(
    (shares) => Math.abs(Object.values(shares).reduce((sum, share) => sum + share, 0) - 100) < 0.001,
    "expected shares that sum up to 100",
  );

/** One variant for all, or shares of a stable hash of the targeting key. */
const serveSchema = z.union([z.string().min(1).max(64), splitSchema]);

const attributeValue = z.union([z.string().max(256), z.number(), z.boolean()]);

/** Every named operator must hold. A missing attribute holds none but `exists: false` and `notIn`. */
const conditionSchema = z.strictObject({
  attribute: z.string().min(1).max(64),
  in: z.array(attributeValue).min(1).max(1_000).optional(),
  notIn: z.array(attributeValue).min(1).max(1_000).optional(),
  startsWith: z.string().max(256).optional(),
  endsWith: z.string().max(256).optional(),
  greaterThan: z.number().optional(),
  lessThan: z.number().optional(),
  exists: z.boolean().optional(),
});

const ruleSchema = z.strictObject({
  /** All of them must hold. */
  if: z.array(conditionSchema).min(1).max(20),
  serve: serveSchema,
});

export const flagSchema = z.strictObject({
  description: z.string().max(1_024).optional(),
  /** False serves `off` to everyone. */
  enabled: z.boolean().default(true),
  /** Of one type; `{on: true, off: false}` when absent. */
  variants: z.record(z.string().min(1).max(64), valueSchema).default({ on: true, off: false }),
  /** Served while not enabled. */
  off: z.string().default("off"),
  /** The first one that holds serves. */
  rules: z.array(ruleSchema).max(100).default([]),
  /** Served when no rule holds. */
  serve: serveSchema.default("on"),
});

/** By the flag's key. */
export const flagTableSchema = z.record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/), flagSchema);

export type Flag = z.infer<typeof flagSchema>;
export type FlagTable = Readonly<Record<string, Flag>>;
