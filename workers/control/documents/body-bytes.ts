/** How large a body may be: larger than usual where it brings documents. */
import { LIMITS } from "#shared/limits.ts";
import { CONTROL } from "../contract.ts";

const { service, major } = CONTROL;
const DOCUMENT = new RegExp(`^/${service}/v${major}/documents/[^/]+/[^/]+$`);
const IMPORTS = `/${service}/v${major}/imports`;

export const bodyBytesMax = (path: string, method: string): number => {
  const isPut = method === "PUT" && DOCUMENT.test(path);
  const isImport = method === "POST" && path === IMPORTS;
  return isPut || isImport ? LIMITS.configBodyBytes : LIMITS.requestBodyBytes;
};
