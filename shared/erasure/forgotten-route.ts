/** How operators have a service forget a data subject. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { formatPosition, POSITION_HEADER } from "../cqrs/position.ts";
import { idField } from "../events/event-fields.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "../http/route-parts.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { type Forgetting, forgetSubject } from "./forget-subject.ts";

/** `<tenant>.<subject>`. */
const subjectOfTenant = z.string().regex(/^[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,64}$/);

const forget = (subject: z.ZodString) =>
  createRoute({
    method: "post",
    path: "/forgotten",
    summary: "Forgets a data subject: its personal values can be read by nobody any more",
    description: `Whoever gets no answer repeats it. There is no way back. The answer's \`${POSITION_HEADER}\` makes a query wait until the read model has removed them, too.`,
    request: { body: jsonBody(z.strictObject({ subject })) },
    responses: {
      200: jsonAnswer(
        z.object({ subject: z.string(), position: z.int() }).meta({ id: "Forgotten" }),
        "The key is gone, and the log tells of it at this position",
      ),
      ...problemAnswers({}, "invalid_body", "scope_missing", "unavailable"),
    },
  });

/**
 * For operators alone: whoever adds it demands that of the path `/forgotten`.
 * @param options.forgetting made for each request: what it stands on may belong to one
 * @param options.ofTenants whether each data subject is a tenant's
 */
export const addForgottenRoute = (
  app: ServiceApp,
  {
    service,
    forgetting,
    ofTenants = false,
  }: { service: string; forgetting: () => Forgetting; ofTenants?: boolean },
): void => {
  app.openapi(forget(ofTenants ? subjectOfTenant : idField), async (c) => {
    const forgotten = await forgetSubject(forgetting(), c.req.valid("json").subject);
    if (!forgotten.ok) return c.var.problem(forgotten.error);
    return c.json(forgotten.value, 200, {
      [POSITION_HEADER]: formatPosition(service, forgotten.value.position),
    });
  });
};
