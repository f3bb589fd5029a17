/** A route as it is gone by, and what a lookup says of one. */
import type { Canary, Destination } from "./destinations.ts";
import type { PathPattern } from "./path-pattern.ts";
import type { Rewrite } from "./rewrite-path.ts";

export interface CompiledRoute {
  readonly name: string;
  /** One at least. */
  readonly destinations: readonly Destination[];
  /** Their weights summed up, for draws. */
  readonly weightSums: readonly number[];
  readonly canary: Canary | undefined;
  readonly rewrite: Rewrite | undefined;
}

export interface Found {
  readonly route: CompiledRoute;
  /** Percent-decoded, by the names in the pattern; a value whose encoding is malformed stays as it came. */
  readonly params: Readonly<Record<string, string>>;
  /** That of the route's patterns which matched. */
  readonly pattern: PathPattern;
}
