/** Rows as JSON parameters for set-based statements (`json_each(?)`), each below what a database takes as one value. */

/** D1 takes 2 MB; JSON is measured in UTF-16 units here, of which each may become three bytes. */
const CHUNK_UNITS_MAX = 600_000;

/** As few JSON arrays as hold all rows, in order; none for no rows. */
export const jsonRows = (rows: Iterable<object>, unitsMax: number = CHUNK_UNITS_MAX): string[] => {
  const chunks: string[] = [];
  let open: string[] = [];
  let units = 0;
  for (const row of rows) {
    const json = JSON.stringify(row);
    if (open.length > 0 && units + json.length > unitsMax) {
      chunks.push(`[${open.join(",")}]`);
      open = [];
      units = 0;
    }
    open.push(json);
    units += json.length + 1;
  }
  if (open.length > 0) chunks.push(`[${open.join(",")}]`);
  return chunks;
};
