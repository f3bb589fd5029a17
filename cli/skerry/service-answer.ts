/** Reads what a service answers at a route of the platform; one that is not of it may answer anything there. */

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/**
 * @param field a text that is there whenever the answer comes from a service of this platform
 * @returns undefined when it does not
 */
export const answeredObject = <Body>(text: string, field: keyof Body & string): Body | undefined => {
  const body = parsed(text);
  return isObject(body) && typeof body[field] === "string" ? (body as Body) : undefined;
};

/** What a list has. @param field a text of each item; what has none is left out */
export const answeredItems = <Item>(text: string, field: keyof Item & string): readonly Item[] => {
  const body = parsed(text);
  const items = isObject(body) && Array.isArray(body.items) ? (body.items as readonly unknown[]) : [];
  return items.filter((item) => isObject(item) && typeof item[field] === "string") as readonly Item[];
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
