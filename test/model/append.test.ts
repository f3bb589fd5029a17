/** Holds that no commit is lost, doubled, torn or out of order, whatever befalls the appends of one aggregate. */
import { describe, expect, it } from "vitest";
import { runAppends } from "./append-run.ts";
import { exploreAll, exploreSeeds } from "./choices.ts";
import { SERVERS } from "./servers.ts";

describe.each(Object.entries(SERVERS))("appends on %s", (_, server) => {
  it("hold in each order of two clients of one Actor, whichever one thing goes wrong", async () => {
    const run = { ...server, faults: 1, clients: [["c1"], ["c2"]], actors: 1 };
    expect(await exploreAll((choose) => runAppends(choose, run))).toBeGreaterThan(30);
  });

  it("hold for many commands of many clients at two Actors, whatever goes wrong together", async () => {
    const clients = [
      ["c1", "c2", "c3"],
      ["c4", "c5"],
      ["c6", "c1"],
      ["c7", "c4"],
    ];
    const run = { ...server, faults: 6, clients, actors: 2 };
    await exploreSeeds(150, (choose) => runAppends(choose, run));
  });
});
