/** Holds what `test/model` does where the runs are too many for every day: two things that go wrong, two Actors, more seeds. */
import { describe, expect, it } from "vitest";
import { runAppends } from "../model/append-run.ts";
import { exploreAll, exploreSeeds } from "../model/choices.ts";
import { SERVERS } from "../model/servers.ts";

describe.each(Object.entries(SERVERS))("appends on %s", (_, server) => {
  it("hold in each order of two Actors with different commands, whichever one thing goes wrong", async () => {
    const run = { ...server, faults: 1, clients: [["c1"], ["c2"]], actors: 2 };
    expect(await exploreAll((choose) => runAppends(choose, run))).toBeGreaterThan(300);
  });

  it("are one commit in each order in which two Actors get the same command, whichever one thing goes wrong", async () => {
    const run = { ...server, faults: 1, clients: [["c1"], ["c1"]], actors: 2 };
    expect(await exploreAll((choose) => runAppends(choose, run))).toBeGreaterThan(300);
  });

  it.skipIf(server.cluster)(
    "hold in each order of two clients of one Actor, whichever two things go wrong",
    async () => {
      const run = { ...server, faults: 2, clients: [["c1"], ["c2"]], actors: 1 };
      expect(await exploreAll((choose) => runAppends(choose, run))).toBeGreaterThan(1_000);
    },
  );

  it("hold for two clients of one Actor, whichever two or three things go wrong", async () => {
    const run = { ...server, faults: 3, clients: [["c1"], ["c2"]], actors: 1 };
    await exploreSeeds(4_000, (choose) => runAppends(choose, run));
  });

  it("hold for many commands of many clients at three Actors, whatever goes wrong together", async () => {
    const clients = [
      ["c1", "c2", "c3"],
      ["c4", "c5"],
      ["c6", "c1"],
      ["c7", "c4"],
      ["c8", "c2", "c9"],
    ];
    const run = { ...server, faults: 10, clients, actors: 3 };
    await exploreSeeds(2_000, (choose) => runAppends(choose, run));
  });
});
