import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { REGISTERED_PROBLEMS } from "./problem-registry.ts";

const documented = async () => {
  const text = await readFile(new URL("../../docs/errors.md", import.meta.url).pathname, "utf8");
  return text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
};

test("docs/errors.md holds every problem type as it is registered, and no other", async () => {
  const registered = REGISTERED_PROBLEMS.map(({ code, status, title, owner, retryable }) => [
    `\`${code}\``,
    `${status}`,
    title,
    owner === "platform" ? "any service" : owner,
    retryable ? "yes" : "no",
  ]);
  expect(await documented()).toEqual(registered);
});

test("RFC 9457 §4: no two problem types have one code", () => {
  const codes = REGISTERED_PROBLEMS.map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
});

test("a problem is a client's or a server's failure, and its code can stand in a URL", () => {
  for (const { code, status } of REGISTERED_PROBLEMS) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
  }
});
