/** A service that keeps tenants apart: notes, each by an author, and how many there are. */
import { createRoute } from "@hono/zod-openapi";
import { eq, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import * as z from "zod";
import type { Aggregate } from "#shared/cqrs/aggregate.ts";
import { executeClientCommand } from "#shared/cqrs/client-command.ts";
import { clientRequest } from "#shared/cqrs/client-request.ts";
import { formatPosition, POSITION_HEADER } from "#shared/cqrs/position.ts";
import type { Process } from "#shared/cqrs/process.ts";
import type { Projection } from "#shared/cqrs/projection.ts";
import { filter } from "#shared/cqrs/query-filter.ts";
import { queryPage } from "#shared/cqrs/query-page.ts";
import { stateOf } from "#shared/cqrs/state-of.ts";
import { personal } from "#shared/erasure/personal.ts";
import { forgottenBy, SUBJECT_EVENTS } from "#shared/erasure/subject.ts";
import { causedBy } from "#shared/events/commit-metadata.ts";
import { idField } from "#shared/events/event-fields.ts";
import { type EventOf, event } from "#shared/events/event-types.ts";
import { inTenant } from "#shared/events/tenant-id.ts";
import { pageParameters } from "#shared/http/page.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import { ok } from "#shared/result.ts";
import { requestTenant } from "#shared/tenants/require-tenant.ts";
import { ofTenant } from "#shared/tenants/tenant-rows.ts";
import { type EventSourcedEnv, eventSourcedService } from "#workers/event-sourced-service.ts";

const NOTE_EVENTS = {
  NoteWritten: event({ noteId: idField, author: idField, text: personal(z.string(), { subject: "author" }) }),
  NoteCounted: event({}),
};
const EVENTS = { ...NOTE_EVENTS, ...SUBJECT_EVENTS };
type NoteEvent = EventOf<typeof NOTE_EVENTS>;

interface WriteNote {
  readonly noteId: string;
  readonly author: string;
  readonly text: string;
}

const note: Aggregate<null, WriteNote, NoteEvent> = {
  type: "note",
  initialState: () => null,
  evolve: () => null,
  decide: ({ noteId, author, text }) => ok([{ type: "NoteWritten", data: { noteId, author, text } }]),
};

/** One for each tenant, and all of them have the same id. */
const tally: Aggregate<number, object, NoteEvent> = {
  type: "tally",
  initialState: () => 0,
  evolve: (count) => count + 1,
  decide: () => ok([{ type: "NoteCounted", data: {} }]),
};
const TALLY = "all";

const notes = sqliteTable(
  "notes",
  {
    tenant: text().notNull(),
    noteId: text("note_id").notNull(),
    author: text().notNull(),
    text: text(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.noteId] })],
);

const notesProjection: Projection = {
  name: "notes",
  tables: ["notes"],
  changes(commits) {
    const events = commits.flatMap((commit) => commit.events);
    const written = events
      .filter(({ type }) => type === "NoteWritten")
      .map(({ data }) => data as Extract<NoteEvent, { type: "NoteWritten" }>["data"]);
    const rows = new Map(
      written.map(({ noteId, author, text }) => [noteId, { note_id: noteId, author, text }]),
    );
    const forgotten = new Set(events.flatMap((recorded) => forgottenBy(recorded) ?? []));
    return [
      { change: "upsert", table: "notes", key: ["note_id"], rows: [...rows.values()] },
      {
        change: "set",
        table: "notes",
        key: ["author"],
        rows: [...forgotten].map((author) => ({ author, text: null })),
      },
    ];
  },
};

const noteId = z.object({ noteId: idField });
const shown = z.object({ noteId: z.string(), author: z.string(), text: z.string().nullable() });

const putNote = createRoute({
  method: "put",
  path: "/notes/{noteId}",
  request: { params: noteId, body: jsonBody(z.strictObject({ author: idField, text: z.string().max(100) })) },
  responses: {
    200: jsonAnswer(z.object({ noteId: z.string() }), "Written"),
    ...problemAnswers({}, "unavailable"),
  },
});
const getNote = createRoute({
  method: "get",
  path: "/notes/{noteId}",
  request: { params: noteId },
  responses: { 200: jsonAnswer(shown, "The note"), ...problemAnswers({}, "not_found") },
});
const listNotes = createRoute({
  method: "get",
  path: "/notes",
  request: { query: z.strictObject({ ...pageParameters, author: idField.optional() }) },
  responses: {
    200: jsonAnswer(z.object({ items: z.array(shown) }), "A page"),
    ...problemAnswers({}, "invalid_parameter", "position_not_reached"),
  },
});
const listEvents = createRoute({
  method: "get",
  path: "/notes/{noteId}/events",
  request: { params: noteId },
  responses: {
    200: jsonAnswer(z.object({ items: z.array(z.unknown()) }), "Its history"),
    ...problemAnswers({}, "unavailable"),
  },
});
const getTally = createRoute({
  method: "get",
  path: "/tally",
  responses: {
    200: jsonAnswer(z.object({ notes: z.int() }), "How many"),
    ...problemAnswers({}, "unavailable"),
  },
});

const { handlers, Commander, Projector, Processor, SubjectKeeper } = eventSourcedService<
  EventSourcedEnv,
  z.ZodObject
>({
  name: "notes",
  major: 1,
  version: "1.0.0",
  description: "Notes of tenants.",
  tenants: "required",
  config: z.strictObject({}),
  problems: {},
  aggregates: { note: note as Aggregate<unknown, object, NoteEvent>, tally: tally as never },
  events: EVENTS,
  sources: {},
  shards: 2,
  projections: [notesProjection],
  processes: ({ commands }): Process[] => [
    {
      name: "count-notes",
      source: "notes",
      handles: ["NoteWritten"],
      handle: (recorded, commit) =>
        commands.execute({
          type: "tally",
          id: TALLY,
          command: {},
          commandId: recorded.id,
          metadata: causedBy(recorded, commit),
        }),
    },
  ],
  addRoutes(app, { commands, projectors, env }) {
    const db = drizzle(env.DB);
    app.openapi(putNote, async (c) => {
      const { noteId } = c.req.valid("param");
      const body = c.req.valid("json");
      const written = await executeClientCommand(commands, {
        type: "note",
        id: noteId,
        command: (id) => ({ noteId: id, ...body }),
        operation: ["write-note", noteId],
        body,
        newCommandId: () => crypto.randomUUID(),
        ...clientRequest(c),
      });
      if (!written.ok) return c.var.problem(written.error);
      return c.json({ noteId }, 200, { [POSITION_HEADER]: formatPosition("notes", written.value.position) });
    });
    app.openapi(getNote, async (c) => {
      const { noteId } = c.req.valid("param");
      const found = await db
        .select()
        .from(notes)
        .where(ofTenant(requestTenant(c), notes, eq(notes.noteId, noteId)))
        .get();
      if (!found) return c.var.problem({ code: "not_found", detail: `There is no note "${noteId}".` });
      return c.json(found, 200, { "cache-control": "public, max-age=60" });
    });
    app.openapi(listNotes, async (c) => {
      const { author, ...page } = c.req.valid("query");
      const listed = await queryPage({
        request: c.req,
        service: "notes",
        projector: () => projectors.named("notes"),
        page,
        place: idField,
        rows: ({ after, limit }) =>
          db
            .select({ noteId: notes.noteId, author: notes.author, text: notes.text })
            .from(notes)
            .where(
              ofTenant(
                requestTenant(c),
                notes,
                filter(eq, notes.author, author),
                filter(gt, notes.noteId, after),
              ),
            )
            .orderBy(notes.noteId)
            .limit(limit)
            .all(),
        placeOf: (row) => row.noteId,
      });
      if (!listed.ok) return c.var.problem(listed.error);
      return c.json({ items: [...listed.value.items] }, 200, listed.value.headers);
    });
    app.openapi(listEvents, async (c) => {
      const id = inTenant(requestTenant(c), c.req.valid("param").noteId);
      const history = await commands.history({ type: "note", id });
      if (!history.ok) return c.var.problem(history.error);
      return c.json({ items: history.value.flatMap((commit) => [...commit.events]) }, 200);
    });
    app.openapi(getTally, async (c) => {
      const count = await stateOf(commands, tally, inTenant(requestTenant(c), TALLY));
      return count.ok ? c.json({ notes: count.value }, 200) : c.var.problem(count.error);
    });
  },
});

export class NoteCommander extends Commander {}
export class NoteProjector extends Projector {}
export class NoteProcessor extends Processor {}
export class NoteSubjectKeeper extends SubjectKeeper {}

export default handlers;
