/** Whether a caller may do what a route asks for. */

export interface NeededScopes {
  readonly all: readonly string[];
  readonly any: readonly string[];
}

/** All of `all`, and one of `any` where there are some; every scope is a name and nothing more. */
export const mayPass = (held: readonly string[], { all, any }: NeededScopes): boolean =>
  all.every((scope) => held.includes(scope)) &&
  (any.length === 0 || any.some((scope) => held.includes(scope)));
