/** What a subscription's Actor remembers of itself: how far it is, whether it stands, from where it is to begin again. */
import type { ActorSql } from "../runtime/actor.ts";
import type { Place } from "./progress.ts";

export interface SubscriptionPlace {
  /** Undefined for a subscription that has never begun. */
  read(): Place | undefined;
  write(place: Place): void;
  /** Begins at a place, as was asked for or for the first time. */
  begin(place: Place): void;
  /** Since when it is paused, in epoch ms. */
  pausedAt(): number | undefined;
  /** @param at undefined ends the pause */
  pause(at: number | undefined): void;
  /** The position from which everything is to be handled again, until {@link SubscriptionPlace.begin}. */
  replayFrom(): number | undefined;
  askReplay(position: number): void;
}

interface Row {
  [column: string]: number | string | null;
  floor: number | null;
  newest: number;
  open: string;
  paused_at: number | null;
  replay_from: number | null;
}

export const subscriptionPlace = (sql: ActorSql): SubscriptionPlace => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS place (
      id INTEGER PRIMARY KEY CHECK (id = 1), floor INTEGER, newest INTEGER NOT NULL, open TEXT NOT NULL,
      paused_at INTEGER, replay_from INTEGER
    )`,
  );
  const [before] = hasFloor(sql) ? sql.exec<{ position: number }>("SELECT position FROM floor") : [];
  sql.exec(
    "INSERT OR IGNORE INTO place (id, floor, newest, open) VALUES (1, ?, ?, '[]')",
    before?.position ?? null,
    before?.position ?? 0,
  );
  const row = () => sql.exec<Row>("SELECT floor, newest, open, paused_at, replay_from FROM place")[0] as Row;
  /** Asked at each look; written by nobody else. */
  let { paused_at: pausedAt, replay_from: replayFrom } = row();

  return {
    read() {
      const { floor, newest, open } = row();
      return floor === null ? undefined : { floor, newest, open: JSON.parse(open) as Place["open"] };
    },
    write({ floor, newest, open }) {
      sql.exec("UPDATE place SET floor = ?, newest = ?, open = ?", floor, newest, JSON.stringify(open));
    },
    begin({ floor, newest, open }) {
      sql.exec(
        "UPDATE place SET floor = ?, newest = ?, open = ?, replay_from = NULL",
        floor,
        newest,
        JSON.stringify(open),
      );
      replayFrom = null;
    },
    pausedAt: () => pausedAt ?? undefined,
    pause(at) {
      pausedAt = at ?? null;
      sql.exec("UPDATE place SET paused_at = ?", pausedAt);
    },
    replayFrom: () => replayFrom ?? undefined,
    askReplay(position) {
      sql.exec("UPDATE place SET replay_from = ?", position);
      replayFrom = position;
    },
  };
};

/** A table of that name held the floor alone, once. */
const hasFloor = (sql: ActorSql): boolean =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'floor'").length > 0;
