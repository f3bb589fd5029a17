/** What each request needs: a role by its method and path, and for limited tokens a service in its path. */
import type { Failure } from "#shared/http/errors.ts";
import { err, ok, type Result } from "#shared/result.ts";
import { type Caller, ROLES, type Role } from "./caller.ts";

export interface AccessRequest {
  readonly method: string;
  /** As the router has decoded it, below `/control/v1`: "/documents/orders/default". */
  readonly path: string;
  /** Value of `?service=`. */
  readonly service?: string | undefined;
}

interface AccessRule {
  /** First segments of the paths; all others when absent. */
  readonly segments?: readonly string[];
  readonly methods?: readonly string[];
  readonly role: Role;
}

/** The first one that fits holds. */
const ROLE_RULES: readonly AccessRule[] = [
  { segments: ["tokens", "secrets"], role: "admin" },
  { methods: ["GET", "HEAD"], role: "read" },
  { role: "write" },
];

/** Where the service stands in the path. A limited token reaches these alone, and the changes of its services. */
const OF_A_SERVICE: readonly string[] = ["documents", "schemas", "registry", "rollouts", "effective"];

/** The smallest role that the request needs. */
export const neededRole = ({ method, path }: AccessRequest): Role => {
  const [first = ""] = segmentsOf(path);
  const rule = ROLE_RULES.find(
    ({ segments, methods }) => segments?.includes(first) !== false && methods?.includes(method) !== false,
  );
  return rule?.role ?? "admin";
};

/** Refuses with the role that would be enough, or with the services that the token is for. */
export const checkAccess = (
  caller: Caller,
  request: AccessRequest,
): Result<undefined, Failure<"role_too_small">> => {
  const needed = neededRole(request);
  const attempt = `Calling ${request.method} on "${request.path.slice(0, 200)}" as "${caller.name}"`;
  if (ROLES.indexOf(caller.role) < ROLES.indexOf(needed)) {
    const detail = `${attempt}: its role is "${caller.role}"; expected "${needed}".`;
    return err({ code: "role_too_small", detail });
  }
  if (caller.services && !caller.services.includes(serviceOf(request) ?? "")) {
    const detail = `${attempt}: expected a path of one of its services, ${caller.services.join(", ")}.`;
    return err({ code: "role_too_small", detail });
  }
  return ok(undefined);
};

const serviceOf = ({ path, service }: AccessRequest): string | undefined => {
  const [first = "", second] = segmentsOf(path);
  if (OF_A_SERVICE.includes(first)) return second;
  return first === "changes" ? service : undefined;
};

const segmentsOf = (path: string): string[] => path.split("/").slice(1);
