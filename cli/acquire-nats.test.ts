/** Holds in which order a NATS server is looked for, with a machine that only exists here. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { err, ok } from "#shared/result.ts";
import { acquireNats, acquireNewestNats, acquireOldestNats } from "./acquire-nats.ts";
import type { RunOptions, Tools } from "./tools.ts";

let cacheDir: string;
let said: string[];
const say = (line: string) => said.push(line);

beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "skerry-cache-"));
  said = [];
});
afterEach(() => rmSync(cacheDir, { recursive: true, force: true }));

interface Machine {
  onPath?: string;
  release?: boolean;
  go?: boolean;
  debian?: string;
  root?: boolean;
}

/** Programs are files that hold their version. */
const machine = ({ onPath, release, go, debian, root = true }: Machine): Tools => {
  const put = (folder: string, version: string) => writeFileSync(join(folder, "nats-server"), version);
  const programs: Record<string, (args: readonly string[], options: RunOptions) => string | null> = {
    tar: (args) => {
      put(args[3] ?? "", "2.15.0");
      return "";
    },
    go: (args, { env }) => {
      put(env?.GOBIN ?? "", args[1]?.split("@v")[1] ?? "");
      return "";
    },
    "apt-get": () => "",
    "apt-cache": () => `nats-server:\n  Installed: (none)\n  Candidate: ${debian}-1+b3\n`,
    sh: (_, { cwd = "" }) => {
      mkdirSync(join(cwd, "package/usr/sbin"), { recursive: true });
      put(join(cwd, "package/usr/sbin"), debian ?? "");
      return "";
    },
  };
  const versions = async (path: string) => {
    const { readFile } = await import("node:fs/promises");
    return path === "/usr/bin/nats-server" ? (onPath ?? "") : readFile(path, "utf8");
  };
  return {
    platform: "linux-amd64",
    isRoot: root,
    which: (program) => {
      if (program === "nats-server") return onPath ? "/usr/bin/nats-server" : null;
      if (program === "go") return go ? "/usr/bin/go" : null;
      return debian ? `/usr/bin/${program}` : null;
    },
    run: async (program, args, options) => {
      if (args[0] === "--version") return ok(`nats-server: v${await versions(program)}`);
      const output = programs[program]?.(args, options) ?? null;
      return output === null ? err("no such program") : ok(output);
    },
    download: async () => (release ? ok(undefined) : err("github.com cannot be reached")),
  };
};

const cached = (version: string) => {
  mkdirSync(join(cacheDir, version), { recursive: true });
  writeFileSync(join(cacheDir, version, "nats-server"), version);
};

describe("a server to run on", () => {
  const acquire = (on: Machine) => acquireNats({ tools: machine(on), cacheDir, say });

  test("is the one on PATH when that is new enough", async () => {
    cached("2.15.0");
    expect(await acquire({ onPath: "2.10.1", release: true })).toEqual({
      version: "2.10.1",
      path: "/usr/bin/nats-server",
    });
    expect(said).toEqual([]);
  });

  test("is the newest of the cache when the one on PATH is too old", async () => {
    cached("2.9.10");
    cached("2.15.0");
    expect((await acquire({ onPath: "2.8.4" })).path).toBe(join(cacheDir, "2.15.0", "nats-server"));
  });

  test("is otherwise the release archive's, before Go's and Debian's", async () => {
    expect((await acquire({ release: true, go: true, debian: "2.9.10" })).version).toBe("2.15.0");
  });

  test("is built by Go when the release cannot be fetched, and each skipped source is named", async () => {
    expect((await acquire({ go: true, debian: "2.9.10" })).version).toBe("2.15.2");
    expect(said).toContain(
      "  Skipped the release archive of nats-server 2.15.0: github.com cannot be reached",
    );
  });

  test("is Debian's when nothing else gives one", async () => {
    expect(await acquire({ debian: "2.9.10" })).toEqual({
      version: "2.9.10",
      path: join(cacheDir, "2.9.10", "nats-server"),
    });
  });

  test("leaves nothing half-done in the cache", async () => {
    await acquire({ debian: "2.9.10" });
    expect(readdirSync(cacheDir)).toEqual(["2.9.10"]);
  });

  test("that cannot be had is one message with every reason and the ways out", async () => {
    const failure = await acquire({ debian: "2.1.0" }).then(String, (error: Error) => error.message);
    expect(failure).toContain("no NATS server of 2.9.10 or newer could be had");
    expect(failure).toContain("it is 2.1.0, expected 2.9.10 or newer");
    expect(failure).toContain("Go is not installed");
    expect(failure).toContain("docker run");
  });

  test("is not fetched by apt without root", async () => {
    await expect(acquire({ debian: "2.9.10", root: false })).rejects.toThrow("only root can use apt");
  });
});

describe("the servers to test on", () => {
  test("the newest is fetched although an older one stands here", async () => {
    cached("2.9.10");
    const newest = await acquireNewestNats({ tools: machine({ go: true }), cacheDir, say });
    expect(newest.version).toBe("2.15.2");
  });

  test("the newest is the older one that stands here when none can be fetched", async () => {
    const tools = machine({ onPath: "2.11.0" });
    expect((await acquireNewestNats({ tools, cacheDir, say })).version).toBe("2.11.0");
  });

  test("the oldest is Debian's only when it is that very version, else Go's", async () => {
    const tools = machine({ go: true, debian: "2.10.27" });
    expect((await acquireOldestNats({ tools, cacheDir, say }))?.version).toBe("2.9.10");
    expect(said).toContain("  Skipped the Debian package nats-server: it is 2.10.27, expected 2.9.10");
  });

  test("the oldest is null when it cannot be had", async () => {
    expect(await acquireOldestNats({ tools: machine({}), cacheDir, say })).toBeNull();
  });
});
