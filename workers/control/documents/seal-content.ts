/** Takes a content as a client wrote it and makes it what is stored: every secret sealed, nothing in it that harms. */
import { dottedPath } from "#shared/config/path.ts";
import { type Sealed, type Sealer, SealingError } from "#shared/config/sealing.ts";
import type { JsonObject, JsonValue } from "#shared/control/changes.ts";
import type { FieldFault } from "#shared/http/problem.ts";
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { DocumentName } from "../part.ts";
import { type DocumentFailure, nameOf } from "./document.ts";
import { type FoundSecret, placeOf, sealedOf, secretsOf, storedSecret, withSecrets } from "./secrets.ts";

const FORM = 'expected {"$secret": "text"}, or {"$secret": {"fingerprint": "…"}} to keep what is there';

export interface SealOptions {
  readonly name: DocumentName;
  /** What the document holds now: its secrets can be kept. */
  readonly stored: JsonObject | undefined;
  readonly seals: Sealer;
}

/** Refuses with config_does_not_fit for a secret of another form and for what is too long to be stored, with secret_not_known for one to keep that is not there. */
export const sealContent = async (
  content: JsonObject,
  { name, stored, seals }: SealOptions,
): Promise<Result<JsonObject, DocumentFailure>> => {
  const document = nameOf(name);
  const found = secretsOf(content);
  const tooMany = { path: "", message: `expected at most ${LIMITS.documentSecrets} secrets` };
  const faults = [
    ...(found.length > LIMITS.documentSecrets ? [tooMany] : []),
    ...namesRefused(content),
    ...found.flatMap(formFaults),
  ].slice(0, LIMITS.documentFaults);
  if (faults.length > 0) return err(doesNotFit(document, faults));

  const there = new Map(
    secretsOf(stored ?? {}).map((secret) => [dottedPath(secret.keys), sealedOf(secret)] as const),
  );
  const unknown = found.filter(
    ({ keys, held }) => isKept(held) && there.get(dottedPath(keys))?.fingerprint !== fingerprintOf(held),
  );
  if (unknown.length > 0) return err(notKnown(document, unknown));

  try {
    const sealed = await sealedBy(seals, document, { found, there });
    const stored = withSecrets(content, (_, path) => storedSecret(sealed.get(path) as Sealed));
    const tooLong = lengthFault(stored);
    return tooLong ? err(doesNotFit(document, [tooLong])) : ok(stored);
  } catch (error) {
    if (!(error instanceof SealingError)) throw error;
    return err({ code: "unavailable", detail: `Writing "${document}": ${error.message}.` });
  }
};

/** Not by the body that it came in: a number of four characters may be written in twenty. */
const lengthFault = (stored: JsonObject): FieldFault | undefined => {
  const bytes = new TextEncoder().encode(JSON.stringify(stored)).byteLength;
  if (bytes <= LIMITS.configDocumentBytes) return undefined;
  const message = `expected at most ${LIMITS.configDocumentBytes} bytes as JSON with its secrets sealed, not ${bytes}`;
  return { path: "", message };
};

/** The same text again under the same key is no change: then what is there stays. */
const sealedBy = async (
  seals: Sealer,
  document: string,
  { found, there }: { found: readonly FoundSecret[]; there: ReadonlyMap<string, Sealed> },
): Promise<Map<string, Sealed>> => {
  const sealed = new Map<string, Sealed>();
  for (const { keys, held } of found) {
    const path = dottedPath(keys);
    const kept = there.get(path);
    const fresh = typeof held === "string" ? await seals.seal(held, placeOf(document, path)) : kept;
    const isSame = kept && kept.key === fresh?.key && kept.fingerprint === fresh.fingerprint;
    if (fresh) sealed.set(path, isSame ? kept : fresh);
  }
  return sealed;
};

export const doesNotFit = (document: string, errors: readonly FieldFault[]): DocumentFailure => {
  const [first] = errors;
  const place = first?.path ? ` at "${first.path}"` : "";
  return {
    code: "config_does_not_fit",
    detail: `Writing "${document}"${place}: ${first?.message ?? "it does not fit"}.`,
    errors,
  };
};

const notKnown = (document: string, unknown: readonly FoundSecret[]): DocumentFailure => {
  const errors = unknown.slice(0, LIMITS.documentFaults).map(({ keys }) => ({
    path: dottedPath(keys),
    message: "expected the fingerprint of the secret that stands here, or a text",
  }));
  const detail = `Keeping the secret at "${errors[0]?.path}" of "${document}": none with this fingerprint is there.`;
  return { code: "secret_not_known", detail, errors };
};

const isKept = (held: JsonValue): held is JsonObject => typeof held === "object" && held !== null;

const fingerprintOf = (held: JsonValue): unknown => (isKept(held) ? held.fingerprint : undefined);

const formFaults = ({ keys, held, alone }: FoundSecret): FieldFault[] => {
  const path = dottedPath(keys);
  if (keys[0] === "flags")
    return [{ path, message: "expected no secret: flags are evaluated as they stand" }];
  if (typeof held === "string" && alone) {
    const fits = held.length > 0 && held.length <= LIMITS.secretCharacters;
    return fits ? [] : [{ path, message: `expected a secret of 1 to ${LIMITS.secretCharacters} characters` }];
  }
  const isFingerprint =
    isKept(held) && typeof held.fingerprint === "string" && Object.keys(held).length === 1 && alone;
  return isFingerprint && keys.length > 0 ? [] : [{ path, message: FORM }];
};

/** The one name that JavaScript may take for something else wherever a content is read. */
const namesRefused = (content: JsonValue, keys: readonly string[] = []): FieldFault[] => {
  if (typeof content !== "object" || content === null) return [];
  return Object.entries(content).flatMap(([key, value]) => {
    const place = [...keys, key];
    if (key === "__proto__") return [{ path: dottedPath(place), message: "expected another name" }];
    return namesRefused(value as JsonValue, place);
  });
};
