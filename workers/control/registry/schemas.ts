/** The forms of the registry on the wire. */
import * as z from "zod";
import { timestampSchema } from "#shared/http/schemas.ts";
import { LIMITS } from "#shared/limits.ts";

/** What the gateway answers itself, and what names something else in the configuration. */
const RESERVED: ReadonlySet<string> = new Set([
  "control",
  "gateway",
  "healthz",
  "internal",
  "monitor",
  "problems",
  "readyz",
  "shared",
]);

export const serviceNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, "expected 1 to 63 of a-z 0-9 -, a letter first")
  .refine((name) => !RESERVED.has(name), "this name is the platform's own")
  .meta({ description: "First segment of the service's paths", example: "reviews" });

export const instanceIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "expected 1 to 64 of A-Z a-z 0-9 . _ -, a letter or digit first",
  )
  .meta({ description: "Unique within the service", example: "reviews-7f3a" });

const semverSchema = z
  .string()
  .max(64)
  .regex(
    /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/,
    "expected a semantic version as 1.4.0",
  )
  .meta({ description: "Semantic version; its major is the `v{major}` of the paths", example: "1.4.0" });

const healthCheckSchema = z
  .strictObject({
    path: z
      .string()
      .max(200)
      .regex(/^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/, "expected a path as /healthz")
      .default("/healthz"),
    intervalSeconds: z.int().min(1).max(300).default(5),
    timeoutMs: z.int().min(50).max(5_000).default(1_000),
    rise: z.int().min(1).max(10).default(2).meta({ description: "Successes in a row that end a failure" }),
    fall: z.int().min(1).max(10).default(3).meta({ description: "Failures in a row that make it down" }),
  })
  .meta({ id: "HealthCheck" });

const metadataSchema = z
  .record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/, "expected 1 to 64 of A-Z a-z 0-9 . _ / -"),
    z.string().max(1_024),
  )
  .refine(
    (entries) => Object.keys(entries).length <= LIMITS.registryMetadataEntries,
    `expected at most ${LIMITS.registryMetadataEntries} entries`,
  )
  .refine(
    (entries) => new TextEncoder().encode(JSON.stringify(entries)).byteLength <= LIMITS.registryMetadataBytes,
    `expected at most ${LIMITS.registryMetadataBytes} bytes as JSON`,
  );

const placeFields = {
  version: semverSchema,
  url: z.string().max(2_048).optional().meta({ description: "Base URL", example: "http://10.0.0.7:8080" }),
  binding: z.string().min(1).max(64).optional().meta({ description: "Service binding of the gateway" }),
  zone: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, "expected 1 to 64 of A-Z a-z 0-9 . _ -")
    .optional(),
};
const weightSchema = z.int().min(0).max(1_000).meta({ description: "Share among its peers; 0 gets none" });
const healthSchema = z.union([z.literal(false), healthCheckSchema]);

export const registrationSchema = z
  .strictObject({
    ...placeFields,
    weight: weightSchema.default(100),
    metadata: metadataSchema.default({}),
    ttlSeconds: z
      .int()
      .min(5)
      .max(3_600)
      .optional()
      .meta({ description: "Lease of an instance at a URL: down unless it registers again by then" }),
    health: healthSchema
      .default(healthCheckSchema.parse({}))
      .meta({ description: "False: judged by its lease only" }),
    state: z.enum(["up", "degraded", "starting"]).default("up").meta({ description: "Its own word" }),
  })
  .refine(({ url, binding }) => (url === undefined) !== (binding === undefined), {
    path: ["url"],
    message: "expected either url or binding",
  })
  .refine(({ url, ttlSeconds }) => (url === undefined) === (ttlSeconds === undefined), {
    path: ["ttlSeconds"],
    message: "expected a lease of an instance at a url, and none of one behind a binding",
  })
  .meta({ id: "Registration" });

export const registeredInstanceSchema = z
  .strictObject({
    service: z.string(),
    id: z.string(),
    ...placeFields,
    state: z.enum(["starting", "up", "degraded", "draining", "down", "out_of_service"]),
    weight: weightSchema,
    metadata: z.record(z.string(), z.string()),
    health: healthSchema,
    ttlSeconds: z.int().optional(),
    registeredAt: timestampSchema,
    leaseEndsAt: timestampSchema.optional().meta({ description: "Down then, unless it registers again" }),
    removedAt: timestampSchema.optional().meta({ description: "Forgotten then" }),
  })
  .meta({ id: "RegisteredInstance" });

export const registeredServiceSchema = z
  .strictObject({ service: z.string(), epoch: z.int(), instances: z.array(registeredInstanceSchema) })
  .meta({ id: "RegisteredService" });

export const servicePageSchema = z.strictObject({ items: z.array(registeredServiceSchema) });

export const registeredSchema = z.strictObject({
  ...registeredInstanceSchema.shape,
  renewWithinSeconds: z.int().optional().meta({ description: "Register again by then, to keep the lease" }),
});

export const drainingSchema = z.strictObject({ state: z.literal("draining"), removedAt: timestampSchema });

export const orderedStateSchema = z.strictObject({ state: z.enum(["up", "out_of_service"]) });

export const drainQuerySchema = z.strictObject({
  drainSeconds: z
    .string()
    .regex(/^[0-9]{1,4}$/, "expected a whole number of 0 to 3600")
    .transform(Number)
    .pipe(z.int().min(0).max(3_600))
    .default(10)
    .meta({ type: "integer", minimum: 0, maximum: 3_600, default: 10 }),
});
