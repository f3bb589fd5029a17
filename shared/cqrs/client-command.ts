/** A client's command as HTTP brings it: executed once per `Idempotency-Key` where there is one. */
import type { DomainEvent } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import { parseIdempotencyKey, requestFingerprint } from "../http/idempotency-key.ts";
import type { Result } from "../result.ts";
import { type ClientRequest, clientMetadata } from "./client-request.ts";
import type { Executed } from "./command-actor.ts";
import type { Commands } from "./commands.ts";

export interface ClientCommand extends ClientRequest {
  readonly type: string;
  /** The aggregate's id, or what makes a new one for a command that creates. */
  readonly id: string | (() => string);
  command(id: string): object;
  /** What the key counts for: the operation, and what it is done to. */
  readonly operation: readonly string[];
  /** What must be the same whenever the key comes again. */
  readonly body: object;
  /** Names a command without a key. */
  newCommandId(): string;
}

export const executeClientCommand = async <Event extends DomainEvent>(
  commands: Pick<Commands, "execute" | "executeOnce">,
  { type, id, command, operation, body, newCommandId, ...request }: ClientCommand,
): Promise<Result<Executed<Event>, Failure>> => {
  const clientsKey = parseIdempotencyKey(request.idempotencyKey);
  if (!clientsKey.ok) return clientsKey;
  const metadata = clientMetadata(request);
  if (clientsKey.value === undefined) {
    const isNew = typeof id !== "string";
    const target = isNew ? id() : id;
    const commandId = newCommandId();
    return commands.execute<Event>({
      type,
      id: target,
      command: command(target),
      commandId,
      isNew,
      metadata,
    });
  }
  const once = await commands.executeOnce<Event>({
    type,
    id,
    command,
    key: await requestFingerprint([...operation, clientsKey.value]),
    fingerprint: await requestFingerprint(body),
    metadata,
  });
  return once.ok ? once.value.execution : once;
};
