/** Which configurations a document is part of. */
import type { DocumentName } from "../part.ts";
import { DEFAULT_PROFILE, nameOf, SHARED } from "./document.ts";
import type { DocumentTables } from "./document-tables.ts";
import type { View } from "./layers.ts";

/**
 * Every configuration that any of these documents is merged into, as things would be after they are written. A profile of
 * which neither the service nor `shared` has a document is the default one again and is left out.
 */
export const touchedBy = (
  names: readonly DocumentName[],
  after: View,
  tables: DocumentTables,
): DocumentName[] => {
  const profiles = [
    ...new Set([DEFAULT_PROFILE, ...tables.profiles(), ...names.map(({ profile }) => profile)]),
  ];
  const isForAll = names.some(({ service }) => service === SHARED);
  const services = isForAll
    ? [...new Set([SHARED, ...tables.services(), ...names.map(({ service }) => service)])]
    : [];
  const stands = (name: DocumentName): boolean => {
    const { stable, candidate } = after.document(name);
    return Boolean(stable?.content ?? candidate?.content);
  };
  const isOwn = ({ service, profile }: DocumentName): boolean =>
    profile === DEFAULT_PROFILE || stands({ service, profile }) || stands({ service: SHARED, profile });

  const touched = new Map<string, DocumentName>();
  for (const name of names) {
    for (const service of name.service === SHARED ? services : [name.service]) {
      for (const profile of name.profile === DEFAULT_PROFILE ? profiles : [name.profile]) {
        const config = { service, profile };
        if (isOwn(config)) touched.set(nameOf(config), config);
      }
    }
  }
  return [...touched.values()];
};
