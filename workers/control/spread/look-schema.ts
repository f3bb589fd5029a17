/** The form of looks: bounded, because they come from every isolate there is. */
import * as z from "zod";
import type { Look } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";

const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "expected a name of a-z, 0-9 and -, at most 63");
const epoch = z.int().min(0);
/** More answers than an isolate gives in a second, by far: one report cannot outweigh all others for ever. */
const answers = z.int().min(0).max(1_000_000);

const countSchema = z
  .strictObject({
    service: z.string().max(64),
    rollout: z.string().max(256),
    arm: z.enum(["candidate", "stable"]),
    answers,
    failures: answers,
  })
  .refine((count) => count.failures <= count.answers, "expected no more failures than answers");

const windowCalls = z.int().min(0).max(LIMITS.breakerReportedCalls);

const breakerSchema = z.strictObject({
  service: name,
  instance: z.string().min(1).max(LIMITS.breakerNameCharacters),
  state: z.enum(["open", "closed"]),
  calls: windowCalls,
  failures: windowCalls,
});

const faultSchema = z.strictObject({ path: z.string().max(1_024), message: z.string().max(1_024) });

/** What a process asks by query: it reports nothing. */
export const changesQuerySchema = z.strictObject({
  service: name,
  profile: name.default("default"),
  epoch: z.coerce.number().pipe(epoch).default(0),
});

export const lookSchema = z.strictObject({
  service: name,
  profile: name,
  isolate: z.string().min(1).max(128),
  epoch,
  counts: z.array(countSchema).max(LIMITS.lookReportItems).exactOptional(),
  rejected: z
    .strictObject({ epoch, faults: z.array(faultSchema).max(LIMITS.lookReportItems) })
    .exactOptional(),
  breakers: z.array(breakerSchema).max(LIMITS.lookReportItems).exactOptional(),
}) satisfies z.ZodType<Look>;
