/** Whether the configurations that an edit touches fit: each service's by its schema, flags by theirs. */
import { flagTableSchema } from "#shared/config/flags/flag.ts";
import { dottedPath } from "#shared/config/path.ts";
import { checkAgainstSchema } from "#shared/config/schema-check.ts";
import { type SecretPlace, secretPlace } from "#shared/config/schema-check-secrets.ts";
import { type Sealer, SealingError } from "#shared/config/sealing.ts";
import type { JsonObject, JsonValue } from "#shared/control/changes.ts";
import type { FieldFault } from "#shared/http/problem.ts";
import { LIMITS } from "#shared/limits.ts";
import type { DocumentName } from "../part.ts";
import { nameOf } from "./document.ts";
import { type MergedLayers, mergedSides, type View } from "./layers.ts";
import { ownFormFaults } from "./own-form.ts";
import { replaceSealed, sealedOf, secretsOf } from "./secrets.ts";

export interface FitOptions {
  /** As it stands. */
  readonly before: View;
  /** As it would be. */
  readonly after: View;
  /** The configurations that change. */
  readonly touched: readonly DocumentName[];
  /** Whether a configuration must fit whole; else only what is new in it must. */
  readonly mustFit: (name: DocumentName) => boolean;
  readonly seals: Sealer;
}

/**
 * What does not fit after an edit, at most `LIMITS.documentFaults`. A configuration that did not fit before (its service has
 * declared another schema since) does not hold up an edit elsewhere: only what an edit spoils counts there.
 */
export const faultsOfEdit = async (options: FitOptions): Promise<FieldFault[]> => {
  const { before, after, touched, mustFit, seals } = options;
  const check = configCheck(seals, before);
  const faults: FieldFault[] = [];
  for (const name of touched) {
    const found = await check(after, name);
    const old = found.length > 0 && !mustFit(name) ? await check(before, name) : [];
    const isOld = (fault: FieldFault) =>
      old.some(({ path, message }) => path === fault.path && message === fault.message);
    const fresh = found.filter((fault) => !isOld(fault));
    faults.push(...(touched.length > 1 ? fresh.map((fault) => within(name, fault)) : fresh));
    if (faults.length >= LIMITS.documentFaults) break;
  }
  return faults.slice(0, LIMITS.documentFaults);
};

/** What does not fit as things stand, each fault with the configuration's name. */
export const faultsStanding = async (
  view: View,
  names: readonly DocumentName[],
  seals: Sealer,
): Promise<FieldFault[]> => {
  const check = configCheck(seals, view);
  const faults: FieldFault[] = [];
  for (const name of names) {
    faults.push(...(await check(view, name)).map((fault) => within(name, fault)));
    if (faults.length >= LIMITS.documentFaults) break;
  }
  return faults.slice(0, LIMITS.documentFaults);
};

/** "orders/production#cache.ttl". */
const within = (name: DocumentName, { path, message }: FieldFault): FieldFault => ({
  path: path === "" ? nameOf(name) : `${nameOf(name)}#${path}`,
  message,
});

/** A configuration's secrets as they stand, by the random beginning of their seals. */
const sealedIn = (view: View, name: DocumentName): ReadonlySet<string> => {
  const sides = Object.values(mergedSides(view, name));
  return new Set(sides.flatMap(({ value }) => secretsOf(value).map((secret) => sealedOf(secret).iv)));
};

/**
 * Texts of secrets are kept for one check only: many configurations share one. Of a secret that stands already nothing is
 * told: who may declare schemas could ask for it letter by letter.
 * @param standing what is not news
 */
const configCheck = (seals: Sealer, standing: View) => {
  const texts = new Map<string, Promise<string>>();

  const opened = async (
    merged: MergedLayers,
    { faults, seen }: { faults: FieldFault[]; seen: Map<string, string> },
  ): Promise<JsonObject> =>
    replaceSealed(merged, async (sealed, place, path) => {
      const id = `${place} ${sealed.iv}`;
      const text = texts.get(id) ?? seals.open(sealed, place);
      texts.set(id, text);
      seen.set(path, sealed.iv);
      return text.catch((error: unknown) => {
        if (!(error instanceof SealingError)) throw error;
        faults.push({ path, message: error.message });
        return "";
      });
    });

  const checkSide = async (
    merged: MergedLayers,
    { name, schema }: { name: DocumentName; schema: JsonObject | undefined },
  ): Promise<FieldFault[]> => {
    const faults = schema ? clearSecrets(merged, schema) : [];
    const seen = new Map<string, string>();
    const { flags, ...value } = await opened(merged, { faults, seen });
    const unfit = schema ? unfitIn(name.service, { schema, value }) : [];
    const old = unfit.some(({ path }) => seen.has(path)) ? sealedIn(standing, name) : NOTHING;
    return [...faults, ...unfit.filter(({ path }) => !old.has(seen.get(path) ?? "")), ...flagFaults(flags)];
  };

  return async (view: View, name: DocumentName): Promise<FieldFault[]> => {
    const { stable, candidate } = mergedSides(view, name);
    const schema = view.schema(name.service);
    const faults = [
      ...(await checkSide(stable, { name, schema })),
      ...(candidate ? await checkSide(candidate, { name, schema }) : []),
    ];
    return [...new Map(faults.map((fault) => [`${fault.path} ${fault.message}`, fault])).values()];
  };
};

const NOT_SECRET = 'expected {"$secret": …}: this field is a secret';

const NOTHING: ReadonlySet<string> = new Set();

const unfitIn = (
  service: string,
  checked: { readonly schema: JsonObject; readonly value: JsonObject },
): FieldFault[] => {
  const faults = checkAgainstSchema(checked.schema, checked.value);
  return faults.length > 0 ? faults : ownFormFaults(service, checked);
};

const flagFaults = (flags: JsonValue | undefined): FieldFault[] => {
  const checked = flags === undefined ? undefined : flagTableSchema.safeParse(flags);
  return (checked?.error?.issues ?? []).map((issue) => ({
    path: dottedPath(["flags", ...issue.path.map(String)]),
    message: issue.message.slice(0, LIMITS.configFaultCharacters),
  }));
};

/** In each document alone: what a stronger one hides is kept all the same. */
const clearSecrets = ({ layers }: MergedLayers, schema: JsonObject): FieldFault[] => {
  const root = secretPlace(schema);
  const faults: FieldFault[] = [];
  const keys: string[] = [];
  const walk = (value: JsonValue, place: SecretPlace): void => {
    if (typeof value !== "object" || value === null) {
      if (place.secret) faults.push({ path: dottedPath(keys), message: NOT_SECRET });
      return;
    }
    if (Object.hasOwn(value, "$secret")) return;
    for (const [key, item] of Object.entries(value)) {
      keys.push(key);
      walk(item as JsonValue, place.inside(key));
      keys.pop();
    }
  };
  for (const { content, fields } of layers) {
    const taken = Object.entries(content).filter(([key]) => fields?.has(key) !== false);
    walk(Object.fromEntries(taken), root);
  }
  return faults;
};
