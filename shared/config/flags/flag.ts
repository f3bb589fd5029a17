/** A feature flag as documents hold it. */
import * as z from "zod";

const variantName = z.string().min(1).max(64);

const valueSchema = z.union([z.boolean(), z.string().max(1_024), z.number(), z.record(z.string(), z.json())]);

/** Shares in percent by variant: they sum up to 100. By name in order, so that no rewriting of a document moves anyone. */
const splitSchema = z
  .record(variantName, z.number().min(0).max(100))
  .refine(
    (shares) => Math.abs(Object.values(shares).reduce((sum, share) => sum + share, 0) - 100) < 0.001,
    "expected shares that sum up to 100",
  )
  .transform((shares) => Object.fromEntries(Object.entries(shares).sort(([a], [b]) => (a < b ? -1 : 1))));

/** One variant for all, or shares of a stable hash of the targeting key. */
const serveSchema = z.union([variantName, splitSchema]);

const attributeValue = z.union([z.string().max(256), z.number(), z.boolean()]);

/** Every named operator must hold. A missing attribute holds none but `exists: false` and `notIn`. */
const conditionSchema = z
  .strictObject({
    attribute: z.string().min(1).max(64),
    in: z.array(attributeValue).min(1).max(1_000).optional(),
    notIn: z.array(attributeValue).min(1).max(1_000).optional(),
    startsWith: z.string().max(256).optional(),
    endsWith: z.string().max(256).optional(),
    greaterThan: z.number().optional(),
    lessThan: z.number().optional(),
    exists: z.boolean().optional(),
  })
  .refine(
    ({ attribute, ...operators }) => Object.values(operators).some((operator) => operator !== undefined),
    'expected an operator, as in "in" or "exists"',
  );

const ruleSchema = z.strictObject({
  /** All of them must hold. */
  if: z.array(conditionSchema).min(1).max(20),
  serve: serveSchema,
});

const fullFlagSchema = z
  .strictObject({
    description: z.string().max(1_024).optional(),
    /** False serves `off` to everyone. */
    enabled: z.boolean().default(true),
    /** Of one type; `{on: true, off: false}` when absent. */
    variants: z
      .record(variantName, valueSchema)
      .refine((variants) => Object.keys(variants).length <= 100, "expected at most 100 variants")
      .default({ on: true, off: false }),
    /** Served while not enabled. */
    off: z.string().default("off"),
    /** The first one that holds serves. */
    rules: z.array(ruleSchema).max(100).default([]),
    /** Served when no rule holds. */
    serve: serveSchema.default("on"),
  })
  .superRefine(({ variants, off, rules, serve }, context) => {
    const fault = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    const mustExist = (variant: string, path: (string | number)[]) => {
      if (!Object.hasOwn(variants, variant)) fault(path, `expected one of the variants, not "${variant}"`);
    };
    const mustServe = (served: Serve, path: (string | number)[]) => {
      if (typeof served === "string") mustExist(served, path);
      else for (const variant of Object.keys(served)) mustExist(variant, [...path, variant]);
    };
    mustExist(off, ["off"]);
    mustServe(serve, ["serve"]);
    for (const [index, rule] of rules.entries()) mustServe(rule.serve, ["rules", index, "serve"]);
    if (new Set(Object.values(variants).map((value) => typeof value)).size > 1) {
      fault(["variants"], "expected values of one type");
    }
  });

/** What people write for most flags: on or off for all, or on for some. */
export type FlagShorthand = boolean | { readonly percentage: number };

/** `false` serves `off`, as the value of a variant: the flag is static, not disabled. */
const fullForm = (written: unknown, context: z.RefinementCtx): unknown => {
  if (typeof written === "boolean") return { serve: written ? "on" : "off" };
  const isPercentage =
    typeof written === "object" && written !== null && Object.keys(written).join() === "percentage";
  if (!isPercentage) return written;
  const { percentage } = written as { readonly percentage: unknown };
  if (typeof percentage !== "number" || !(percentage >= 0 && percentage <= 100)) {
    context.addIssue({ code: "custom", path: ["percentage"], message: "expected a number from 0 to 100" });
    return z.NEVER;
  }
  return { serve: { on: percentage, off: 100 - percentage } };
};

/** Takes a {@link FlagShorthand} or the full form, and makes the full form of it. */
export const flagSchema = z.preprocess(
  fullForm as (written: FlagShorthand | z.input<typeof fullFlagSchema>, context: z.RefinementCtx) => unknown,
  fullFlagSchema,
);

/** By the flag's key. */
export const flagTableSchema = z.record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/), flagSchema);

export type FlagValue = z.infer<typeof valueSchema>;
export type Serve = z.infer<typeof serveSchema>;
export type FlagCondition = z.infer<typeof conditionSchema>;
export type Flag = z.infer<typeof flagSchema>;
export type FlagTable = Readonly<Record<string, Flag>>;
