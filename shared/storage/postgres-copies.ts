/** Copies of tables in Postgres: made with indexes of other names, which take the tables' names with them. */
import type { PoolClient } from "pg";
import { fnv1a } from "../cqrs/fnv1a.ts";
import { copyName, quotedIdentifier } from "./identifier.ts";

interface Index {
  readonly name: string;
  /** `CREATE … INDEX name ON schema.table USING …`. */
  readonly definition: string;
  /** What of it names index and table. */
  readonly heading: string;
  readonly constraint: "PRIMARY KEY" | "UNIQUE" | null;
}

const INDEXES = `
  SELECT i.relname AS name, pg_get_indexdef(i.oid) AS definition,
    format('INDEX %I ON %I.%I USING', i.relname, n.nspname, t.relname) AS heading,
    CASE c.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END AS constraint
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace
    LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.conrelid = t.oid AND c.contype IN ('p', 'u')
  WHERE x.indrelid = to_regclass($1) ORDER BY i.relname`;

/** What hangs on a table and would stay with it when another takes its name. */
const HANGING = `
  SELECT 'the view "' || v.relname || '"' AS what FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_class v ON v.oid = r.ev_class WHERE d.refobjid = to_regclass($1) AND v.oid <> d.refobjid
  UNION ALL SELECT 'the foreign key "' || conname || '"' FROM pg_constraint WHERE contype = 'f' AND to_regclass($1) IN (conrelid, confrelid)
  UNION ALL SELECT 'the exclusion "' || conname || '"' FROM pg_constraint WHERE contype = 'x' AND conrelid = to_regclass($1)
  UNION ALL SELECT 'the trigger "' || tgname || '"' FROM pg_trigger WHERE tgrelid = to_regclass($1) AND NOT tgisinternal
  UNION ALL SELECT 'the policy "' || polname || '"' FROM pg_policy WHERE polrelid = to_regclass($1)
  UNION ALL SELECT 'the sequence "' || s.relname || '"' FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE d.refobjid = to_regclass($1) AND d.deptype = 'a'
  LIMIT 1`;

const COLUMNS = `
  SELECT string_agg(format('%I %s %s', attname, format_type(atttypid, atttypmod), attnotnull), ', ' ORDER BY attnum) AS columns
  FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`;

/** As statements that give the copy what may be done to the table by whom. */
const GRANTS = `
  SELECT format('GRANT %s ON %s TO %s%s', privilege_type, $2::text,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS statement
  FROM pg_class t, aclexplode(t.relacl) WHERE t.oid = to_regclass($1)`;

export const createCopies = async (client: PoolClient, table: string, suffix: string): Promise<void> => {
  const name = quotedIdentifier(table);
  const copy = quotedIdentifier(copyName(table, suffix));
  await expectPlain(client, table);
  if (await stands(client, copy)) return;
  await client.query(`CREATE TABLE ${copy} (LIKE ${name} INCLUDING ALL EXCLUDING INDEXES)`);
  for (const index of await indexesOf(client, name)) {
    const own = quotedIdentifier(indexName(index.name, suffix));
    await client.query(defined(index, own, copy));
    if (index.constraint)
      await client.query(`ALTER TABLE ${copy} ADD CONSTRAINT ${own} ${index.constraint} USING INDEX ${own}`);
  }
};

/** A copy that is not there fits nothing. */
export const copyFits = async (client: PoolClient, table: string, suffix: string): Promise<boolean> => {
  const [name, copy] = [quotedIdentifier(table), quotedIdentifier(copyName(table, suffix))];
  if (!(await stands(client, name)) || !(await stands(client, copy))) return false;
  return (await columnsOf(client, copy)) === (await columnsOf(client, name));
};

/** Within the transaction that has looked at the checkpoints. */
export const takeOver = async (
  client: PoolClient,
  table: string,
  suffix: string,
  keepAs: string | undefined,
): Promise<void> => {
  const name = quotedIdentifier(table);
  const copy = quotedIdentifier(copyName(table, suffix));
  // Planned as nobody has looked at its rows, a query of millions would be slow until the next autovacuum.
  await client.query(`ANALYZE ${copy}`);
  await client.query(`LOCK TABLE ${name}, ${copy} IN ACCESS EXCLUSIVE MODE`);
  await expectPlain(client, table);
  if ((await columnsOf(client, copy)) !== (await columnsOf(client, name))) {
    throw new Error(
      `Taking the place of the table "${table}" with ${copy}: the table has changed since; expected the copy's columns. Rebuild once more`,
    );
  }
  const indexes = await indexesOf(client, name);
  const filled = new Set((await indexesOf(client, copy)).map((index) => index.name));
  const grants = await client.query<{ statement: string }>(GRANTS, [name, copy]);
  for (const { statement } of grants.rows) await client.query(statement);
  if (keepAs === undefined) await client.query(`DROP TABLE ${name}`);
  else
    await rename(client, table, copyName(table, keepAs), indexes, ({ name }) => [
      name,
      indexName(name, keepAs),
    ]);
  const taken = indexes.filter((index) => filled.has(indexName(index.name, suffix)));
  await rename(client, copyName(table, suffix), table, taken, ({ name }) => [indexName(name, suffix), name]);
  for (const index of indexes) if (!taken.includes(index)) await client.query(index.definition);
};

export const dropCopies = async (client: PoolClient, table: string, suffix: string): Promise<void> => {
  await client.query(`DROP TABLE IF EXISTS ${quotedIdentifier(copyName(table, suffix))}`);
};

const rename = async (
  client: PoolClient,
  from: string,
  to: string,
  indexes: readonly Index[],
  namesOf: (index: Index) => readonly [string, string],
): Promise<void> => {
  await client.query(`ALTER TABLE ${quotedIdentifier(from)} RENAME TO ${quotedIdentifier(to)}`);
  for (const index of indexes) {
    const [standing, next] = namesOf(index).map((name) => `"${name.replaceAll('"', '""')}"`);
    await client.query(`ALTER INDEX ${standing} RENAME TO ${next}`);
  }
};

const NAME_BYTES_MAX = 63;

/** Postgres would cut a longer name, and two of them might then be one. */
const indexName = (index: string, suffix: string): string => {
  const name = copyName(index, suffix);
  return new TextEncoder().encode(name).length <= NAME_BYTES_MAX && /^\w+$/.test(name)
    ? name
    : copyName(`index_${fnv1a(index).toString(16)}`, suffix);
};

const defined = ({ name, definition, heading }: Index, own: string, copy: string): string => {
  if (definition.includes(heading)) return definition.replace(heading, () => `INDEX ${own} ON ${copy} USING`);
  throw new Error(`Copying the index "${name}": its definition is "${definition}"; expected "${heading}"`);
};

const indexesOf = async (client: PoolClient, quoted: string): Promise<Index[]> =>
  (await client.query<Index>(INDEXES, [quoted])).rows;

const columnsOf = async (client: PoolClient, quoted: string): Promise<string | undefined> =>
  (await client.query<{ columns: string }>(COLUMNS, [quoted])).rows[0]?.columns;

const stands = async (client: PoolClient, quoted: string): Promise<boolean> =>
  (await client.query<{ stands: boolean }>("SELECT to_regclass($1) IS NOT NULL AS stands", [quoted])).rows[0]
    ?.stands === true;

const expectPlain = async (client: PoolClient, table: string): Promise<void> => {
  const quoted = quotedIdentifier(table);
  const attempt = `Copying the table "${table}"`;
  if (!(await stands(client, quoted)))
    throw new Error(`${attempt}: there is none; expected one that a migration has made`);
  const { rows } = await client.query<{ what: string }>(HANGING, [quoted]);
  if (rows[0])
    throw new Error(`${attempt}: ${rows[0].what} hangs on it; expected nothing that would stay behind`);
};
