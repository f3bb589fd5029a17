/** Workers KV as it is far away from a write: what was put or removed shows only after `LAG_MS`. Bound in the place of a namespace. */
import { WorkerEntrypoint } from "cloudflare:workers";

interface Version {
  readonly at: number;
  readonly value: string | undefined;
}

const versions = new Map<string, Version[]>();

/** Answers by RPC what a KVNamespace answers for texts. */
export default class LaggingKv extends WorkerEntrypoint<{ readonly LAG_MS: string }> {
  get(key: string): string | null {
    const before = Date.now() - Number(this.env.LAG_MS);
    return versions.get(key)?.findLast(({ at }) => at <= before)?.value ?? null;
  }

  put(key: string, value: string): void {
    versions.set(key, [...(versions.get(key) ?? []), { at: Date.now(), value }]);
  }

  delete(key: string): void {
    versions.set(key, [...(versions.get(key) ?? []), { at: Date.now(), value: undefined }]);
  }

  list({ prefix = "" }: { prefix?: string } = {}) {
    const keys = [...versions.keys()].filter((name) => name.startsWith(prefix) && this.get(name) !== null);
    return { keys: keys.toSorted().map((name) => ({ name })), list_complete: true };
  }

  /** Every text that was ever put, by key: for tests that look for what must not be there. */
  everything(): Record<string, string[]> {
    return Object.fromEntries(
      [...versions].map(([key, all]) => [
        key,
        all.flatMap(({ value }) => (value === undefined ? [] : [value])),
      ]),
    );
  }
}
