/** Where a request of a route goes: to its canary, or to one of its destinations by weight. */
import { takesPart } from "#shared/config/stable-share.ts";
import type { Random } from "#shared/runtime/clock.ts";
import type { CompiledRoute } from "./compiled-route.ts";
import { cookiesOf } from "./request-facts.ts";
import type { WrittenDestination, WrittenRoute } from "./route-schema.ts";
import { drawBySums } from "./weight-groups.ts";

export type Destination =
  /** By the registry; its newest major when none is named. */
  | { readonly kind: "service"; readonly service: string; readonly major: number | undefined }
  /** Without a slash at the end: the path is put behind it. */
  | { readonly kind: "url"; readonly url: string };

export interface Canary {
  readonly to: Destination;
  readonly percentage: number;
  readonly header: { readonly name: string; readonly value: string } | undefined;
  readonly key: "client" | { readonly header: string } | { readonly cookie: string } | undefined;
}

/** What the choice depends on, as an exchange has it. */
export interface Asked {
  readonly request: Pick<Request, "headers">;
  readonly clientAddress?: string | undefined;
}

/** One of the route's own objects: the same for the same place. */
export const chooseDestination = (route: CompiledRoute, asked: Asked, random: Random): Destination => {
  const { canary, destinations, weightSums: sums } = route;
  if (canary && goesToCanary(canary, route.name, asked, random)) return canary.to;
  const chosen = destinations.length === 1 ? 0 : Math.max(0, drawBySums(sums, random));
  return destinations[chosen] as Destination;
};

export const compileDestination = (written: WrittenDestination): Destination =>
  "url" in written
    ? { kind: "url", url: written.url.replace(/\/$/, "") }
    : { kind: "service", service: written.service, major: written.major };

export const compileCanary = ({
  to,
  percentage = 0,
  header,
  key,
}: NonNullable<WrittenRoute["canary"]>): Canary => ({
  to: compileDestination(to),
  percentage,
  header,
  key,
});

export const weightSums = (written: readonly WrittenDestination[]): number[] => {
  let sum = 0;
  return written.map(({ weight = 1 }) => {
    sum += weight;
    return sum;
  });
};

/** By the route's name as salt: who is in the canary of one route is not for that in another's. */
const goesToCanary = (
  { header, key, percentage }: Canary,
  salt: string,
  asked: Asked,
  random: Random,
): boolean => {
  if (header && asked.request.headers.get(header.name) === header.value) return true;
  if (percentage <= 0) return false;
  const value = key && keyOf(key, asked);
  return value === undefined ? random() * 100 < percentage : takesPart(salt, value, percentage);
};

const keyOf = (key: NonNullable<Canary["key"]>, { request, clientAddress }: Asked): string | undefined => {
  if (key === "client") return clientAddress;
  if ("header" in key) return request.headers.get(key.header) ?? undefined;
  return cookiesOf(request.headers).get(key.cookie);
};
