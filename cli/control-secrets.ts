/** The secrets of a local control plane: made once for a data folder, and kept there for its owner only. */
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { newKey } from "#shared/config/sealing.ts";
import { CliFailure } from "./failure.ts";

const controlSecretsSchema = z.object({
  /** The first admin's bearer token. */
  token: z.string().min(1),
  /** The keys that seal secrets, as the variable CONTROL_KEYS has them: `id:base64,id:base64`. */
  keys: z.string().min(1),
});

export type ControlSecrets = z.infer<typeof controlSecretsSchema>;

const TOKEN_BYTES = 32;

/** Where a data folder keeps them. */
export const controlSecretsFile = (dataDir: string): string => join(dataDir, "control.json");

/**
 * What the data folder keeps; undefined when it keeps none.
 * @throws CliFailure when the file cannot be read as what it should be
 */
export const readControlSecrets = (dataDir: string): ControlSecrets | undefined => {
  const file = controlSecretsFile(dataDir);
  try {
    return controlSecretsSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new CliFailure(
      `cannot read the control plane's secrets from "${file}": expected {"token": "…", "keys": "id:base64"}, found: ${reason.split("\n")[0]}`,
    );
  }
};

/**
 * Reads the secrets, or makes them. Two that do so at once get the same: the file is put in place whole, by the first.
 * @throws CliFailure when a file stands there that cannot be read
 */
export const controlSecrets = (dataDir: string): ControlSecrets => {
  const kept = readControlSecrets(dataDir);
  if (kept) return kept;
  const made = {
    token: `skerry_${randomBytes(TOKEN_BYTES).toString("base64url")}`,
    keys: newKey("k1"),
  };
  const file = controlSecretsFile(dataDir);
  const own = `${file}.${process.pid}`;
  writeFileSync(own, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(own, file);
    return made;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    return readControlSecrets(dataDir) ?? made;
  } finally {
    rmSync(own, { force: true });
  }
};
