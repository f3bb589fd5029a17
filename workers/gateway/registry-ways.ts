/** The ways that the registry gives by itself: `/{service}/v{major}/…`, or `/{service}/…` where a request says its version otherwise. */
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { Arrival } from "./arrival.ts";
import type { NoWay } from "./no-way.ts";
import type { VersionRule } from "./parts/versions/asked-version.ts";
import { versionedPath } from "./parts/versions/versioned-path.ts";
import type { RegisteredServices, RegistryLink } from "./registered-services.ts";
import { withPath } from "./request-path.ts";
import { type ServicePath, servicePath } from "./service-path.ts";
import type { Going, Way } from "./way.ts";

export interface RegistryWaysOptions {
  readonly link: Pick<RegistryLink, "entry" | "loaded">;
  readonly services: RegisteredServices;
  /** Puts the way to a service together by the configuration. */
  readonly wayTo: (service: string, major: number) => Way;
  /** How requests for a service say their version beside the path; undefined when only the path counts. */
  readonly versionsOf: (service: string) => ServiceVersions | undefined;
}

export interface ServiceVersions extends VersionRule {
  /** All answers say by which headers they might differ: who has configured it has clients that use it. */
  readonly told: boolean;
}

interface Known {
  readonly way: Way;
  readonly versions: ServiceVersions | undefined;
  /** Where a request whose headers mention no version goes. */
  readonly plainly: Result<Going, never>;
}

export interface RegistryWays {
  find(arrival: Arrival): Result<Going, NoWay>;
}

const NO_ROUTE = err({ code: "no_route" } as const);

/** Of one configuration. */
export const registryWays = ({ link, services, wayTo, versionsOf }: RegistryWaysOptions): RegistryWays => {
  /** By the first two segments of the path: what was found once is found at once. */
  const known = new Map<string, Known>();

  const isRegistered = (service: string) => (link.entry(service)?.instances.length ?? 0) > 0;

  const remembered = (path: ServicePath & { readonly major: number }, key: string) => {
    const way = wayTo(path.service, path.major);
    const versions = versionsOf(path.service);
    const made = { way, versions, plainly: ok({ way, ...(versions?.told && { vary: versions.vary }) }) };
    if (known.size >= LIMITS.gatewayWaysKnown) known.clear();
    known.set(key, made);
    return made;
  };

  const byPath = (arrival: Arrival, { way, versions, plainly }: Known): Result<Going, NoWay> => {
    const headers = arrival.fields;
    if (!versions?.mentionedBy(headers)) return plainly;
    const asked = versions.asked({
      headers,
      pathMajor: way.major,
      majors: services.majors(way.service),
    });
    if (!asked.ok) return err({ code: "version", refused: asked.error, vary: versions.vary } as const);
    return ok({ way, minor: asked.value.minor, vary: versions.vary });
  };

  /** Without a version in the path. */
  const byHeaders = (arrival: Arrival, service: string): Result<Going, NoWay> => {
    const versions = versionsOf(service);
    const { url } = arrival.request;
    const headers = arrival.fields;
    const asked = versions?.asked({ headers, pathMajor: undefined, majors: services.majors(service) });
    if (!versions || !asked) return NO_ROUTE;
    if (!asked.ok) {
      return asked.error.code === "unversioned"
        ? NO_ROUTE
        : err({ code: "version", refused: asked.error, vary: versions.vary });
    }
    const { major, minor } = asked.value;
    const path = versionedPath(arrival.path, major);
    return ok({ way: wayTo(service, major), minor, url: withPath(url, path), vary: versions.vary });
  };

  const find = (arrival: Arrival, key: string): Result<Going, NoWay> => {
    const path = servicePath(arrival.path);
    const service = path?.service ?? arrival.path.slice(1);
    if (!link.loaded()) return path ? err({ code: "nothing_known", path }) : NO_ROUTE;
    if (!isRegistered(service)) return NO_ROUTE;
    if (!path) return byHeaders(arrival, service);
    const { major } = path;
    const registered = services.find(path);
    if (major !== undefined && (registered.ok || registered.error.code === "no_healthy_instance"))
      return byPath(arrival, remembered({ ...path, major }, key));
    const found = byHeaders(arrival, service);
    if (found.ok || found.error.code !== "no_route" || registered.ok) return found;
    return registered.error.code === "no_such_major" ? err({ ...registered.error, path }) : NO_ROUTE;
  };

  return {
    find(arrival) {
      const key = firstTwoSegments(arrival.path);
      const at = known.get(key);
      return at && isRegistered(at.way.service) ? byPath(arrival, at) : find(arrival, key);
    },
  };
};

const firstTwoSegments = (path: string): string => {
  const end = path.indexOf("/", path.indexOf("/", 1) + 1);
  return end < 0 ? path : path.slice(0, end);
};
