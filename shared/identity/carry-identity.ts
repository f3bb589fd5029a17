/** A service that calls another one for its caller tells who that is, by the token that it was given itself. */
import { context, createContextKey } from "@opentelemetry/api";
import type { Upstream } from "../http/upstream.ts";
import { IDENTITY_HEADER } from "./identity-token.ts";

const CARRIED = createContextKey("the caller's identity");

/** Does the work as a part of serving a request whose identity was verified. */
export const withCarried = <Value>(request: Request, work: () => Value): Value =>
  context.with(context.active().setValue(CARRIED, request.headers.get(IDENTITY_HEADER)), work);

/** Passes the caller's token on to another service of the platform; nobody else may get it. */
export const carryIdentity = (from: Request, to: Headers): void => {
  const token = from.headers.get(IDENTITY_HEADER);
  if (token !== null) to.set(IDENTITY_HEADER, token);
};

/**
 * The same upstream, which gets the token of the caller whose request is being served, where `requireIdentity` stands before.
 * For services of the platform only. Like a trace the token finds its way by itself: no code between has to know of it.
 */
export const identifiedUpstream = (upstream: Upstream): Upstream => ({
  fetch(request) {
    const token = context.active().getValue(CARRIED);
    return upstream.fetch(typeof token === "string" ? carrying(request, token) : request);
  },
});

/** Headers of a request that came from outside cannot be changed: then, and only then, it is copied. */
const carrying = (request: Request, token: string): Request => {
  try {
    request.headers.set(IDENTITY_HEADER, token);
    return request;
  } catch {
    const copy = new Request(request);
    copy.headers.set(IDENTITY_HEADER, token);
    return copy;
  }
};
