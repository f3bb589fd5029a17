/** The registry over HTTP: services, their instances, registering, draining, an operator's word. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { decodeCursor, encodeCursor, nextLink, pageParameters } from "#shared/http/page.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { ok } from "#shared/result.ts";
import { rfc3339 } from "#shared/runtime/clock.ts";
import { CONTROL_PROBLEMS } from "../contract.ts";
import type { RegisteredInstance, RegisteredService, RegistryMethods } from "./registration.ts";
import {
  drainingSchema,
  drainQuerySchema,
  instanceIdSchema,
  orderedStateSchema,
  registeredInstanceSchema,
  registeredSchema,
  registeredServiceSchema,
  registrationSchema,
  serviceNameSchema,
  servicePageSchema,
} from "./schemas.ts";

const serviceParams = z.strictObject({ service: serviceNameSchema });
const instanceParams = z.strictObject({ service: serviceNameSchema, id: instanceIdSchema });
const instancePath = "/registry/{service}/instances/{id}";

const listServices = createRoute({
  method: "get",
  path: "/registry",
  summary: "Registered services by name, in pages; a page ends early when its services have many instances",
  request: { query: z.strictObject(pageParameters) },
  responses: {
    200: jsonAnswer(servicePageSchema, "Services; `Link` names the next page"),
    ...problemAnswers(CONTROL_PROBLEMS, "invalid_parameter"),
  },
});

const getService = createRoute({
  method: "get",
  path: "/registry/{service}",
  summary: "A service with its instances",
  request: { params: serviceParams },
  responses: {
    200: jsonAnswer(registeredServiceSchema, "The service"),
    ...problemAnswers(CONTROL_PROBLEMS, "service_not_registered", "invalid_parameter"),
  },
});

const getInstance = createRoute({
  method: "get",
  path: instancePath,
  summary: "An instance",
  request: { params: instanceParams },
  responses: {
    200: jsonAnswer(registeredInstanceSchema, "The instance"),
    ...problemAnswers(CONTROL_PROBLEMS, "instance_not_found", "invalid_parameter"),
  },
});

const putInstance = createRoute({
  method: "put",
  path: instancePath,
  summary: "Registers an instance, or renews its lease; another place begins anew, another version does not",
  request: { params: instanceParams, body: jsonBody(registrationSchema) },
  responses: {
    200: jsonAnswer(registeredSchema, "The instance, which was there before"),
    201: jsonAnswer(registeredSchema, "The instance, registered now"),
    ...problemAnswers(
      CONTROL_PROBLEMS,
      "url_not_allowed",
      "binding_not_known",
      "limit_reached",
      "invalid_body",
      "invalid_parameter",
    ),
  },
});

const deleteInstance = createRoute({
  method: "delete",
  path: instancePath,
  summary: "Drains an instance: no new work at once, forgotten after `drainSeconds`",
  request: { params: instanceParams, query: drainQuerySchema },
  responses: {
    202: jsonAnswer(drainingSchema, "When it is forgotten"),
    ...problemAnswers(CONTROL_PROBLEMS, "instance_not_found", "invalid_parameter"),
  },
});

const putState = createRoute({
  method: "put",
  path: `${instancePath}/state`,
  summary: "Takes an instance out of service, across renewals, or back in",
  request: { params: instanceParams, body: jsonBody(orderedStateSchema) },
  responses: {
    200: jsonAnswer(registeredInstanceSchema, "The instance; put back in, it is what its health says"),
    ...problemAnswers(CONTROL_PROBLEMS, "instance_not_found", "invalid_body", "invalid_parameter"),
  },
});

const placeSchema = z.strictObject({ after: z.string().max(63) });

/** Adds the registry's routes to the control worker's app. */
export const addRegistryRoutes = (app: ServiceApp, { actor }: { actor: RegistryMethods }): void => {
  app.openapi(listServices, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const place = cursor === undefined ? ok({ after: "" }) : decodeCursor(cursor, placeSchema);
    if (!place.ok) return c.var.problem(place.error);
    const { services, last } = await actor.listServices({ after: place.value.after, limit });
    const end = services.at(-1);
    if (end && !last) c.header("link", nextLink(c.req.url, encodeCursor({ after: end.service })));
    return c.json({ items: services.map(serviceOnWire) }, 200);
  });

  app.openapi(getService, async (c) => {
    const found = await actor.findService(c.req.valid("param"));
    return found.ok ? c.json(serviceOnWire(found.value), 200) : c.var.problem(found.error);
  });

  app.openapi(getInstance, async (c) => {
    const found = await actor.findInstance(c.req.valid("param"));
    return found.ok ? c.json(instanceOnWire(found.value), 200) : c.var.problem(found.error);
  });

  app.openapi(putInstance, async (c) => {
    const registration = c.req.valid("json");
    const taken = await actor.registerInstance({ ...c.req.valid("param"), registration });
    if (!taken.ok) return c.var.problem(taken.error);
    const { created, instance, renewWithinSeconds } = taken.value;
    const answer = {
      ...instanceOnWire(instance),
      ...(renewWithinSeconds !== undefined && { renewWithinSeconds }),
    };
    if (!created) return c.json(answer, 200);
    c.header("location", c.req.path);
    return c.json(answer, 201);
  });

  app.openapi(deleteInstance, async (c) => {
    const drained = await actor.drainInstance({ ...c.req.valid("param"), ...c.req.valid("query") });
    if (!drained.ok) return c.var.problem(drained.error);
    return c.json({ state: "draining" as const, removedAt: rfc3339(drained.value.removedAt) }, 202);
  });

  app.openapi(putState, async (c) => {
    const ordered = await actor.setInstanceState({ ...c.req.valid("param"), ...c.req.valid("json") });
    return ordered.ok ? c.json(instanceOnWire(ordered.value), 200) : c.var.problem(ordered.error);
  });
};

const instanceOnWire = ({ registeredAt, leaseEndsAt, removedAt, ...rest }: RegisteredInstance) => ({
  ...rest,
  metadata: { ...rest.metadata },
  registeredAt: rfc3339(registeredAt),
  ...(leaseEndsAt !== undefined && { leaseEndsAt: rfc3339(leaseEndsAt) }),
  ...(removedAt !== undefined && { removedAt: rfc3339(removedAt) }),
});

const serviceOnWire = ({ service, epoch, instances }: RegisteredService) => ({
  service,
  epoch,
  instances: instances.map(instanceOnWire),
});
