/** Holds that keys which the commands make are keys to those who read them. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { readPrivateKeys, readPublicKeys } from "#shared/identity/identity-keys.ts";
import { type Ran, runCommand } from "#test/setup/run-command.ts";
import { policySchema } from "#workers/gateway/policy/policy-schema.ts";

const run = (args: readonly string[], input = ""): Promise<Ran> =>
  runCommand(args, { env: {}, cwd: "/", input });

const asJson = async (...args: string[]) => {
  const { code, out, err } = await run([...args, "--json"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out);
};

test("an API key comes once, with an entry that a policy takes and that does not have it", async () => {
  const args = ["key", "new", "partner-7", "--owner", "Partner Ltd", "--scope", "orders:read"];
  const { key, entry } = await asJson(...args, "--scope", "orders:write");
  expect(key).toMatch(/^sk_partner-7_[\w-]{43}$/);
  const hash = createHash("sha256").update(key).digest("base64url");
  expect(entry).toEqual({
    "partner-7": { hash, owner: "Partner Ltd", scopes: ["orders:read", "orders:write"] },
  });
  expect(policySchema.safeParse({ authentication: { apiKeys: { keys: entry } } }).success).toBe(true);
  expect((await asJson("key", "new", "partner-7")).key).not.toBe(key);
});

test("a person sees the key on a line of its own, then the entry", async () => {
  const { out } = await run(["key", "new", "p"]);
  const [key = "", empty, , ...entry] = out.trimEnd().split("\n");
  expect(empty).toBe("");
  const hash = createHash("sha256").update(key).digest("base64url");
  expect(JSON.parse(entry.join("\n"))).toEqual({ p: { hash } });
});

test("a session key is one that a policy takes once its secret is open", async () => {
  const { id, key } = await asJson("session-key", "new", "2026-11");
  const session = { keys: [{ id, key: key.$secret }] };
  expect(policySchema.safeParse({ session }).success).toBe(true);
  expect(Buffer.from(key.$secret, "base64")).toHaveLength(32);
});

test("identity keys come as the gateway and the services read them", async () => {
  const made = await run(["identity-key", "new"]);
  const [key] = readPrivateKeys(made.out);
  const shown = await run(["identity-key", "public"], made.out);
  expect(shown.out).not.toContain(key.d);
  expect(readPublicKeys(shown.out).keys).toMatchObject([{ kid: key.kid, x: key.x }]);
});

test("what has no private keys is refused, and not repeated", async () => {
  const ran = await run(["identity-key", "public"], '{"keys": ["sesame"]}');
  expect(ran).toMatchObject({ code: 1, out: "" });
  expect(ran.err).toMatch(/^skerry: cannot read standard input: Reading the private identity keys: key 1 /);
  expect(ran.err).not.toContain("sesame");
});
