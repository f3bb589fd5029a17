/** An instance: one version of a service at one place, as the registry tells of it. */

export type InstanceState = "starting" | "up" | "degraded" | "draining" | "down" | "out_of_service";

export interface Instance {
  readonly id: string;
  /** Semantic version; its major is the `v{major}` of the paths that it answers. */
  readonly version: string;
  readonly state: InstanceState;
  /** Name of a service binding of the gateway; else `url` is set. */
  readonly binding?: string;
  /** Base URL: "http://10.0.0.7:8080". */
  readonly url?: string;
  readonly zone?: string;
  /** Share of the work among its peers; 0 gets none. */
  readonly weight: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** All instances of a service; a service without any is not registered. */
export interface ServiceEntry {
  readonly service: string;
  /** The epoch of its last change. */
  readonly epoch: number;
  readonly instances: readonly Instance[];
}

export const majorOf = (version: string): number => Number.parseInt(version, 10);
