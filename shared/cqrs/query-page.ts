/** One page of a read model: it waits for the position that the client asks for, goes on at its cursor, and names the next page. */
import type * as z from "zod";
import type { Failure } from "../http/errors.ts";
import { decodeCursor, encodeCursor, nextLink } from "../http/page.ts";
import { ok, type Result } from "../result.ts";
import { awaitPosition } from "./freshness.ts";
import { MIN_POSITION_HEADER } from "./position.ts";
import type { ProjectorMethods } from "./projector-actor.ts";

export interface PageQuery<Row, Place> {
  /** As Hono has it: `c.req`. */
  readonly request: { readonly url: string; header(name: string): string | undefined };
  /** The service whose position the client may ask for. */
  readonly service: string;
  readonly projector: () => Pick<ProjectorMethods, "waitFor">;
  /** What `pageParameters` give. */
  readonly page: { readonly limit: number; readonly cursor?: string | undefined };
  /** What cursors say, and where in the list a row is. */
  readonly place: z.ZodType<Place>;
  /** At most `limit` rows in the list's order, beyond `after` or from the beginning. */
  readonly rows: (page: { readonly after: Place | undefined; readonly limit: number }) => PromiseLike<Row[]>;
  readonly placeOf: (row: Row) => Place;
}

export interface Page<Row> {
  readonly items: readonly Row[];
  /** `link`, when another page follows. */
  readonly headers: Record<string, string>;
}

/** @returns `position_not_reached`, or `invalid_parameter` for a cursor that is none */
export const queryPage = async <Row, Place>(
  query: PageQuery<Row, Place>,
): Promise<Result<Page<Row>, Failure>> => {
  const { request, service, projector, place, placeOf } = query;
  const { limit, cursor } = query.page;
  const reached = await awaitPosition({ header: request.header(MIN_POSITION_HEADER), service, projector });
  if (!reached.ok) return reached;
  const after = cursor === undefined ? undefined : decodeCursor(cursor, place);
  if (after && !after.ok) return after;
  // One more than asked for tells whether another page follows.
  const rows = await query.rows({ after: after?.value, limit: limit + 1 });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return ok({ items, headers: more ? { link: nextLink(request.url, encodeCursor(placeOf(last))) } : {} });
};
