/** Holds that a data folder has one set of secrets, readable by its owner only, and that a broken file is never replaced. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TemporaryFolder, temporaryFolder } from "#test/setup/temporary-folder.ts";
import { controlSecrets, controlSecretsFile, readControlSecrets } from "./control-secrets.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder("secrets");
});
afterEach(() => folder.remove());

test("the first start makes a token and a key of 32 bytes, in a file that only its owner reads", () => {
  const { token, keys } = controlSecrets(folder.path);
  expect(token).toMatch(/^skerry_[\w-]{43}$/);
  const [id, key = ""] = keys.split(":");
  expect(id).toBe("k1");
  expect(Buffer.from(key, "base64")).toHaveLength(32);
  expect(statSync(controlSecretsFile(folder.path)).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder.path)).toEqual(["control.json"]);
});

test("every later start has the same", () => {
  const first = controlSecrets(folder.path);
  expect(controlSecrets(folder.path)).toEqual(first);
  expect(readControlSecrets(folder.path)).toEqual(first);
});

test("two folders have different ones", () => {
  const other = join(folder.path, "other");
  mkdirSync(other);
  const [one, two] = [controlSecrets(folder.path), controlSecrets(other)];
  expect(one.token).not.toBe(two.token);
  expect(one.keys).not.toBe(two.keys);
});

test.each(["", "{", '{"token": "x"}', '{"token": "", "keys": "k1:x"}', "[]"])(
  "a file that holds %j is refused and kept: its keys may be the only ones that open what was sealed",
  (text) => {
    const file = controlSecretsFile(folder.path);
    writeFileSync(file, text);
    expect(() => controlSecrets(folder.path)).toThrow(
      `cannot read the control plane's secrets from "${file}": expected {"token": "…", "keys": "id:base64"}`,
    );
    expect(readFileSync(file, "utf8")).toBe(text);
  },
);

test("a folder without secrets has none to read", () => {
  expect(readControlSecrets(folder.path)).toBeUndefined();
});
