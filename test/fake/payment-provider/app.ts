/** The provider's HTTP interface, in the manner of real ones: authorise, void, and what tests may tell and ask it. */
import { type Context, Hono } from "hono";
import * as z from "zod";
import type { Clock, Sleep } from "#shared/runtime/clock.ts";
import type { ProviderMethods } from "./provider.ts";

const authorisationBody = z.strictObject({
  orderId: z.string().min(1).max(64),
  amount: z.int().min(0),
  currency: z.string().regex(/^[A-Z]{3}$/),
});

const behaviourBody = z.strictObject({
  mode: z.enum(["approve", "decline", "slow", "fail"]),
  delayMs: z.int().min(0).max(60_000).optional(),
  times: z.int().min(1).max(1_000_000).optional(),
});

const listQuery = z.strictObject({
  orderId: z.string().optional(),
  cursor: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

const AUTHORISATION_STATUS = {
  authorised: 201,
  declined: 402,
  voided: 409,
  key_reused: 422,
  failed: 503,
} as const;
const VOID_STATUS = { voided: 204, unknown: 404, failed: 503 } as const;

const DETAIL = {
  declined: "The card was declined.",
  voided: "The authorisation was voided.",
  key_reused: "The Idempotency-Key was used with another order, amount or currency.",
  failed: "The provider is out of order.",
  unknown: "There is no such authorisation.",
} as const;

/** The text's JSON in the schema's form; undefined when it is not. */
const parse = async <T>(c: Context, schema: z.ZodType<T>): Promise<T | undefined> => {
  const body: unknown = await c.req.json().catch(() => undefined);
  return schema.safeParse(body).data;
};

const malformed = (c: Context, expected: string) => c.json({ detail: `Expected ${expected}.` }, 400);

/** @param options.newId makes the ids of authorisations */
export const providerApp = (
  provider: ProviderMethods,
  { clock, sleep, newId }: { clock: Clock; sleep: Sleep; newId: () => string },
): Hono => {
  const app = new Hono();

  app.post("/authorisations", async (c) => {
    const idempotencyKey = c.req.header("idempotency-key");
    const body = await parse(c, authorisationBody);
    if (!idempotencyKey || !body) return malformed(c, "an Idempotency-Key and {orderId, amount, currency}");
    const answer = await provider.authorise({ ...body, idempotencyKey, newId: newId(), at: clock() });
    await sleep(answer.delayMs);
    return answer.outcome === "authorised"
      ? c.json({ authorisationId: answer.authorisationId }, 201)
      : c.json({ detail: DETAIL[answer.outcome] }, AUTHORISATION_STATUS[answer.outcome]);
  });

  app.delete("/authorisations/:authorisationId", async (c) => {
    const { outcome, delayMs } = await provider.void({ authorisationId: c.req.param("authorisationId") });
    await sleep(delayMs);
    return outcome === "voided"
      ? c.body(null, 204)
      : c.json({ detail: DETAIL[outcome] }, VOID_STATUS[outcome]);
  });

  app.delete("/authorisations", async (c) => {
    const idempotencyKey = c.req.query("idempotencyKey");
    if (!idempotencyKey) return malformed(c, "the query parameter idempotencyKey");
    const { outcome, delayMs } = await provider.voidKey({ idempotencyKey });
    await sleep(delayMs);
    return outcome === "voided"
      ? c.body(null, 204)
      : c.json({ detail: DETAIL[outcome] }, VOID_STATUS[outcome]);
  });

  app.get("/authorisations", async (c) => {
    const query = listQuery.safeParse(c.req.query());
    if (!query.success) return malformed(c, "only orderId, cursor and limit (1 to 100)");
    const { orderId, cursor: after, limit } = query.data;
    return c.json(await provider.list({ orderId, after, limit }));
  });

  app.put("/behaviour", async (c) => {
    const body = await parse(c, behaviourBody);
    if (!body)
      return malformed(c, "{mode: approve|decline|slow|fail, delayMs?: 0..60000, times?: 1..1000000}");
    return c.json(await provider.behave(body));
  });

  app.get("/behaviour", async (c) => c.json(await provider.behaviour()));
  app.get("/healthz", (c) => c.json({ service: "fake-payment-provider", healthy: true }));
  return app;
};
