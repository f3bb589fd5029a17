/** Why a request goes nowhere. */
import type { VersionRefusal } from "./parts/versions/asked-version.ts";
import type { RoutingRefusal } from "./registered-services.ts";
import type { ServicePath } from "./service-path.ts";

export type NoWay =
  | { readonly code: "no_route" }
  | (RoutingRefusal & { readonly path: ServicePath })
  | {
      readonly code: "version";
      readonly refused: VersionRefusal;
      /** Request headers that this depends on. */
      readonly vary: readonly string[];
    };
