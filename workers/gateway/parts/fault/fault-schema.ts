/** Failures that are ordered, to see what comes of them: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";

const percentage = () =>
  z.number().min(0).max(100).optional().describe("Of the requests, drawn for each; 0 when absent.");
const ms = () => z.int().min(0).max(LIMITS.faultDelayMs);

export const faultSchema = z
  .strictObject({
    delay: z
      .strictObject({
        ms: ms().optional().describe("How long a request waits before it goes on."),
        toMs: ms().optional().describe("The wait is drawn between `ms` and this."),
        percentage: percentage(),
      })
      .refine(({ ms: least = FAULT_DEFAULTS.delayMs, toMs }) => toMs === undefined || toMs >= least, {
        path: ["toMs"],
        message: "expected no less than `ms`",
      })
      .optional()
      .describe("A wait."),
    abort: z
      .strictObject({
        status: z.int().min(400).max(599).optional().describe("Of the answer, a problem `fault_injected`."),
        percentage: percentage(),
      })
      .optional()
      .describe("An answer in the place of the service's."),
    at: z
      .enum(["service", "client"])
      .optional()
      .describe(
        "`service`: as if the service had failed, so that cache and fallback do what they are for; `client`: nothing keeps it from the client.",
      ),
    byHeader: z
      .boolean()
      .optional()
      .describe(
        "Whoever sends `Skerry-Fault: delay`, `abort`, `delay=250` or `abort=502` orders it, whatever the percentage.",
      ),
  })
  .refine(
    ({ delay, abort, byHeader }) =>
      byHeader || delay?.percentage !== undefined || abort?.percentage !== undefined,
    "expected a percentage, or byHeader",
  );

export const FAULT_DEFAULTS = { delayMs: 1_000, status: 503, at: "service" } as const;

/** As it is written; see `FAULT_DEFAULTS` for what is not. */
export type WrittenFault = z.infer<typeof faultSchema>;
