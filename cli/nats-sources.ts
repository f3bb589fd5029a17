/** Where a NATS server can be had, in the order in which they are tried. */
import { chmod, copyFile } from "node:fs/promises";
import { join } from "node:path";
import { err, ok, type Result } from "#shared/result.ts";
import type { Tools } from "./tools.ts";
import { compareVersions, versionIn } from "./version.ts";

/** The oldest server that everything runs on. */
export const NATS_OLDEST = "2.9.10";

export interface NatsSource {
  /** What is done, for the terminal. */
  readonly title: string;
  /** Why it cannot be tried on this machine; null when it can. */
  impossible(tools: Tools): string | null;
  /** Puts the program at `<folder>/nats-server`; the refusal says why it did not come. */
  obtain(tools: Tools, folder: string): Promise<Result<void, string>>;
}

/** The newest release whose checksums are known here, from the SHA256SUMS published with it. */
const ARCHIVE_VERSION = "2.15.0";
const ARCHIVE_SHA256: Readonly<Record<string, string>> = {
  "linux-amd64": "5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92",
  "linux-arm64": "cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112",
  "darwin-amd64": "5bd8b59ca5bf93fab3da2c5843cf564cd6e2e291e22ae3b861746e7ebe259b95",
  "darwin-arm64": "e1c4e22d70bd44abfa0bcb3c16f7cf0c66f648c2e728c58924e8a1ce88913cc8",
};

/** Go verifies a module against its public checksum database, so the newest needs no checksum here. */
const GO_VERSION = "2.15.2";

const RUN_MS = 60_000;
const BUILD_MS = 600_000;

const releaseArchive: NatsSource = {
  title: `the release archive of nats-server ${ARCHIVE_VERSION}`,
  impossible: ({ platform }) => (ARCHIVE_SHA256[platform] ? null : `no checksum is known for "${platform}"`),
  obtain: async (tools, folder) => {
    const name = `nats-server-v${ARCHIVE_VERSION}-${tools.platform}`;
    const archive = join(folder, `${name}.tar.gz`);
    const address = `https://github.com/nats-io/nats-server/releases/download/v${ARCHIVE_VERSION}/${name}.tar.gz`;
    const fetched = await tools.download(address, archive, ARCHIVE_SHA256[tools.platform] ?? "");
    if (!fetched.ok) return fetched;
    const unpacked = await tools.run("tar", ["-xzf", archive, "-C", folder, "--strip-components=1"], {
      timeoutMs: RUN_MS,
    });
    return unpacked.ok ? ok(undefined) : unpacked;
  },
};

const goInstall = (version: string): NatsSource => ({
  title: `go install of nats-server ${version}`,
  impossible: (tools) => (tools.which("go") ? null : "Go is not installed"),
  obtain: async (tools, folder) => {
    const module = `github.com/nats-io/nats-server/v2@v${version}`;
    const built = await tools.run("go", ["install", module], { env: { GOBIN: folder }, timeoutMs: BUILD_MS });
    return built.ok ? ok(undefined) : built;
  },
});

/** Unpacked into the cache instead of installed, so that no service starts and nothing of the machine changes. */
const debianPackage = (wanted: (version: string) => boolean, expected: string): NatsSource => ({
  title: "the Debian package nats-server",
  impossible: (tools) => {
    if (!tools.which("apt-get") || !tools.which("dpkg")) return "apt is not there";
    return tools.isRoot ? null : "only root can use apt";
  },
  obtain: async (tools, folder) => {
    const options = { cwd: folder, timeoutMs: RUN_MS };
    const updated = await tools.run("apt-get", ["update", "-q"], { ...options, timeoutMs: 2 * RUN_MS });
    const policy = await tools.run("apt-cache", ["policy", "nats-server"], options);
    const candidate = policy.ok ? versionIn(policy.value.split("Candidate:")[1] ?? "") : null;
    if (candidate === null) return updated.ok ? err("apt knows no such package") : updated;
    if (!wanted(candidate)) return err(`it is ${candidate}, expected ${expected}`);
    const fetched = await tools.run("apt-get", ["download", "-q", "nats-server"], options);
    if (!fetched.ok) return fetched;
    const unpacked = await tools.run("sh", ["-c", "dpkg -x nats-server_*.deb package"], options);
    if (!unpacked.ok) return unpacked;
    const program = join(folder, "nats-server");
    await copyFile(join(folder, "package", "usr", "sbin", "nats-server"), program);
    await chmod(program, 0o755);
    return ok(undefined);
  },
});

export const NEWEST_SOURCES: readonly NatsSource[] = [
  releaseArchive,
  goInstall(GO_VERSION),
  debianPackage((version) => compareVersions(version, NATS_OLDEST) >= 0, `${NATS_OLDEST} or newer`),
];

export const OLDEST_SOURCES: readonly NatsSource[] = [
  debianPackage((version) => version === NATS_OLDEST, NATS_OLDEST),
  goInstall(NATS_OLDEST),
];

/** A server of this version or newer counts as the newest that can be had: no source gives a newer one for certain. */
export const NATS_NEWEST = ARCHIVE_VERSION;
