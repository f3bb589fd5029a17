/** Holds what is drawn of process managers, here and in the documentation, to their definitions. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { ROOT } from "#cli/workers.ts";
import { type AnyProcessManager, processManager } from "#shared/cqrs/process-manager.ts";
import { mermaidOf } from "#shared/cqrs/process-picture.ts";
import { processesSvg } from "#shared/cqrs/process-picture-svg.ts";
import { runCommand } from "#test/setup/run-command.ts";
import { temporaryFolder } from "#test/setup/temporary-folder.ts";
import { PROCESS_MANAGERS } from "./process-definitions.ts";

const run = (...args: readonly string[]) => runCommand(["processes", ...args], { env: {}, cwd: ROOT });

describe("npx skerry processes", () => {
  it("prints the steps of all as Mermaid, and one alone when it is named", async () => {
    const { code, out } = await run();
    expect(code).toBe(0);
    for (const manager of PROCESS_MANAGERS) expect(out).toContain(mermaidOf(manager));
    const one = await run("payment-timeout", "--service", "orders");
    expect(one.out).toContain("s1 --> s3: timeout payment<br/>sends RejectOrder to order");
  });

  it("writes a picture or Mermaid, by the file's name", async () => {
    const folder = await temporaryFolder("processes");
    try {
      const [svg, mmd] = [join(folder.path, "all.svg"), join(folder.path, "all.mmd")];
      expect((await run("--out", svg)).out).toBe(`wrote ${svg}\n`);
      expect(readFileSync(svg, "utf8")).toBe(processesSvg(PROCESS_MANAGERS));
      await run("--out", mmd);
      expect(readFileSync(mmd, "utf8")).toBe((await run()).out);
    } finally {
      await folder.remove();
    }
  });

  it("tells a program of every step", async () => {
    const { processes } = JSON.parse((await run("--json")).out);
    expect(processes).toContainEqual(
      expect.objectContaining({
        name: "payment-timeout",
        ends: ["settled", "timed out"],
        steps: expect.arrayContaining([
          {
            from: ["unpaid"],
            to: "timed out",
            kind: "timeout",
            on: ['timeout "payment"'],
            does: ["sends RejectOrder to order"],
          },
        ]),
      }),
    );
  });

  it.each([
    [["nobody"], 3, 'no process manager "nobody"'],
    [["--service", "catalog"], 3, 'of the service "catalog"'],
    [["--out", "picture.png"], 2, ".svg or .mmd"],
  ])("%j ends with %d and says why", async (args, code, reason) => {
    const answer = await run(...args);
    expect(answer.code).toBe(code);
    expect(answer.err).toContain(reason);
  });
});

describe("a picture", () => {
  const looping = processManager<null, never, never, null>({
    name: "remind",
    service: "guests",
    purpose: 'Reminds <often> & "loudly".',
    instanceOf: () => "x",
    initialState: () => null,
    evolve: (state) => state,
    steps: [
      { in: ["start"], on: ["guests.Asked"], to: "waiting", schedules: [{ timeout: "r", afterMs: () => 1 }] },
      {
        in: ["waiting"],
        on: [{ timeout: "r" }],
        when: { says: "fewer than three were sent: so far", holds: () => true },
        to: "waiting",
        schedules: [{ timeout: "r", afterMs: () => 1 }],
      },
      { in: ["waiting", "start"], on: ["guests.Answered"], to: "answered" },
    ],
  });

  it("draws all states and steps, those that lead back too, and nothing outside of its frame", () => {
    const svg = processesSvg([looping, ...PROCESS_MANAGERS]);
    expect(svg).toContain("Reminds &#60;often&#62; &#38; &#34;loudly&#34;.");
    expect(svg.match(/class="state/g)).toHaveLength(3 + 4);
    expect(svg.match(/class="card"/g)).toHaveLength(3 + 3);
    expect(svg.match(/marker-end/g)).toHaveLength(3 + 3);
    expect(svg).not.toContain("NaN");
    const [, width, height] = /viewBox="0 0 (\S+) (\S+)"/.exec(svg) ?? [];
    for (const [, x, y, w, h] of svg.matchAll(
      /<rect class="card" x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"/g,
    )) {
      expect(Number(x)).toBeGreaterThanOrEqual(0);
      expect(Number(x) + Number(w)).toBeLessThan(Number(width));
      expect(Number(y) + Number(h)).toBeLessThan(Number(height));
    }
  });

  it("has no mark in Mermaid that Mermaid would take for its own", () =>
    expect(mermaidOf(looping)).toContain("s1 --> s1: timeout r<br/>when fewer than three were sent, so far"));
});

test("every process manager of a service is listed", async () => {
  const files = globSync("workers/*/processes/*.ts", { cwd: ROOT }).filter(
    (file) => !file.endsWith(".test.ts"),
  );
  const modules = await Promise.all(files.map((file) => import(join(ROOT, file)) as Promise<object>));
  const declared = modules
    .flatMap((module) => Object.values(module) as unknown[])
    .filter(
      (value) => typeof value === "object" && value !== null && "steps" in value && "instanceOf" in value,
    );
  expect(declared.length).toBeGreaterThan(0);
  expect(new Set(PROCESS_MANAGERS)).toEqual(new Set(declared));
});

const UPDATE = process.env.UPDATE === "1";
const DOCUMENT = join(ROOT, "docs/reference/processes.md");
const [BEGIN, END] = ["<!-- drawn from the definitions -->\n", "<!-- end -->\n"];

const drawn = (managers: readonly AnyProcessManager[]): string =>
  managers
    .map(
      (manager) => `
### ${manager.service}: ${manager.name}

${manager.purpose}

![The steps of ${manager.name}](../pictures/process-${manager.name}.svg)

\`\`\`mermaid
${mermaidOf(manager)}\`\`\`
`,
    )
    .join("");

test("the documentation shows the steps as they are defined", () => {
  const text = readFileSync(DOCUMENT, "utf8");
  const [before = "", rest = ""] = text.split(BEGIN);
  const after = rest.split(END)[1] ?? "";
  const expected = `${before}${BEGIN}${drawn(PROCESS_MANAGERS)}\n${END}${after}`;
  if (UPDATE) writeFileSync(DOCUMENT, expected);
  else expect(text, "UPDATE=1 draws them anew").toBe(expected);
});

test.each(PROCESS_MANAGERS.map((manager) => [manager.name, manager] as const))(
  "the picture of %s is that of its definition",
  (name, manager) => {
    const file = join(ROOT, "docs/pictures", `process-${name}.svg`);
    if (UPDATE) writeFileSync(file, processesSvg([manager]));
    else expect(readFileSync(file, "utf8"), "UPDATE=1 draws it anew").toBe(processesSvg([manager]));
  },
);
