/** The zone that a gateway's isolate is in, for balancers that prefer their own. */

/**
 * What is configured, else the platform's location (`request.cf.colo`: "FRA"); undefined where neither is known: then all
 * zones are alike.
 */
export const ownZone = (request: Request, configured?: string): string | undefined => {
  if (configured !== undefined) return configured;
  const { cf } = request as { readonly cf?: { readonly colo?: unknown } };
  return typeof cf?.colo === "string" ? cf.colo : undefined;
};
