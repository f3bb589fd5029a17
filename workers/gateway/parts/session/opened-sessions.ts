/** What one isolate remembers of cookies that it has opened, so that known ones cost no cryptography. */
import { LIMITS } from "#shared/limits.ts";
import type { OpenedSession } from "./opened-session.ts";

export interface OpenedSessions {
  get(text: string): OpenedSession | undefined;
  set(text: string, opened: OpenedSession): void;
  size(): number;
}

/** Two generations: the half that was seen last always stays, and nothing has to be searched for what is to go. */
export const openedSessions = (most: number = LIMITS.sessionsRemembered): OpenedSessions => {
  const generationMax = Math.max(1, Math.floor(most / 2));
  let younger = new Map<string, OpenedSession>();
  let older = new Map<string, OpenedSession>();

  const set = (text: string, opened: OpenedSession): void => {
    older.delete(text);
    if (younger.size >= generationMax && !younger.has(text)) {
      older = younger;
      younger = new Map();
    }
    younger.set(text, opened);
  };

  return {
    get(text) {
      const known = younger.get(text);
      if (known) return known;
      const aged = older.get(text);
      if (aged) set(text, aged);
      return aged;
    },
    set,
    size: () => younger.size + older.size,
  };
};
