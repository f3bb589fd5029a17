/** Whoever declares a snapshot `inLog` has the stream for it on the NATS server, and nobody else has one. */
import { expect, test } from "vitest";
import { LOG_SERVICES, type LogService } from "#nats/streams.ts";
import type { SnapshotDeclaration } from "#shared/cqrs/aggregate.ts";

test.each(LOG_SERVICES)(
  "$service has a stream for its snapshots if it declares one",
  async ({ service, ...declared }: LogService) => {
    const domain = (await import(`../../workers/${service}/domain.ts`)) as Record<
      string,
      { readonly type?: string; readonly snapshot?: SnapshotDeclaration<unknown> } | undefined
    >;
    const aggregates = Object.values(domain).filter((exported) => exported?.type !== undefined);
    expect(aggregates.length).toBeGreaterThan(0);
    expect(aggregates.some((aggregate) => aggregate?.snapshot?.inLog)).toBe(declared.snapshots ?? false);
  },
);
