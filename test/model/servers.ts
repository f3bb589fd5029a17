/** The servers that appends have to hold on, by what tells them apart. */
import type { AppendRun } from "./append-run.ts";
import type { StreamModel } from "./model-stream.ts";

/** As they are: the oldest and the newest, one server and three; and with no ids known, which the protocol must not need. */
export const SERVERS: Record<string, StreamModel & Pick<AppendRun, "cluster">> = {
  "one server of 2.9": { checks: "duplicates first", duplicates: "known", cluster: false },
  "one server of 2.12 or newer": { checks: "sequence first", duplicates: "known", cluster: false },
  "one server that forgets ids at a restart": {
    checks: "sequence first",
    duplicates: "known until a restart",
    cluster: false,
  },
  "a cluster": { checks: "duplicates first", duplicates: "known until a restart", cluster: true },
  "a cluster that knows no ids": { checks: "duplicates first", duplicates: "unknown", cluster: true },
};
