/** Commands of a service that keeps tenants apart: each stays in the tenant of its metadata, whatever ids it names. */
import type { CommandMethods } from "../cqrs/command-actor.ts";
import type { Commands } from "../cqrs/commands.ts";
import type { CommitMetadata } from "../events/commit-metadata.ts";
import type { AggregateRef, DomainEvent } from "../events/event.ts";
import { inTenant, tenantOf, withoutTenant } from "../events/tenant-id.ts";

/**
 * Ids come as a tenant knows them, and so does the domain see them; those of commits, with the tenant, are taken as well. A key
 * of one tenant says nothing of another one's.
 * @throws Error, by its promises: a command without a tenant, or for another tenant's aggregate; a history that is nobody's
 */
export const tenantCommands = (commands: Commands): Commands => ({
  async execute(request) {
    const tenant = tenantFor(request.metadata);
    return commands.execute({
      ...request,
      id: idIn(tenant, request.id),
      commandId: commandIdIn(tenant, request.commandId),
    });
  },
  async executeOnce<Event extends DomainEvent>(keyed: Parameters<Commands["executeOnce"]>[0]) {
    const { id, key, command, metadata } = keyed;
    const tenant = tenantFor(metadata);
    const once = await commands.executeOnce<Event>({
      ...keyed,
      id: typeof id === "string" ? idIn(tenant, id) : () => idIn(tenant, id()),
      key: `${tenant}.${key}`,
      command: (target) => command(withoutTenant(target)),
    });
    return once.ok ? { ok: true, value: { ...once.value, id: withoutTenant(once.value.id) } } : once;
  },
  history: async (aggregate) => commands.history(ofSomebody(aggregate)),
  state: async (aggregate) => commands.state(ofSomebody(aggregate)),
  ready: () => commands.ready(),
});

const tenantFor = (metadata: CommitMetadata | undefined): string => {
  if (metadata?.tenant !== undefined) return metadata.tenant;
  throw new Error("Cannot execute a command for nobody: expected a tenant in its metadata");
};

const idIn = (tenant: string, id: string): string => {
  const owner = tenantOf(id);
  if (owner === undefined) return inTenant(tenant, id);
  if (owner === tenant) return id;
  throw new Error(`Cannot execute a command of the tenant "${tenant}" on "${id}": it is another one's`);
};

/**
 * Events are named by it, and those that wait or are parked go by their names: where the same is commanded of several tenants
 * (`close-2026-11`), one's must not be taken for another's. What a chain is named by does not grow with it.
 */
const commandIdIn = (tenant: string, commandId: string): string =>
  commandId.startsWith(`${tenant}.`) ? commandId : `${tenant}.${commandId}`;

const ofSomebody = (aggregate: AggregateRef): Parameters<CommandMethods["history"]>[0] => {
  if (tenantOf(aggregate.id) !== undefined) return aggregate;
  throw new Error(
    `Cannot read the history of ${aggregate.type} "${aggregate.id}": expected the id in its tenant`,
  );
};
