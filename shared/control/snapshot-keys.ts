/** Where snapshots lie in the KeyValue store: a pointer to the newest, and bodies that never change under their epoch. */

/** Holds `{"epoch": n}`, the epoch of the newest registry snapshot. */
export const REGISTRY_POINTER: readonly string[] = ["latest", "registry"];

/** Holds `{"epoch": n}`, the epoch of the newest snapshot of a service's configuration. */
export const configPointer = (service: string, profile: string): readonly string[] => [
  "latest",
  "config",
  service,
  profile,
];

/** Holds a `Changes` with every service and `whole: true`. */
export const registrySnapshot = (epoch: number): readonly string[] => ["snapshots", `${epoch}`, "registry"];

/** Holds a `ConfigPart`. */
export const configSnapshot = (epoch: number, service: string, profile: string): readonly string[] => [
  "snapshots",
  `${epoch}`,
  "config",
  service,
  profile,
];
