/** The catalog's rows: each write is one statement, so that concurrent writers need no transaction. */
import { and, eq, gt, ne, or, sql } from "drizzle-orm";
import type { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";
import type { Money } from "#shared/http/schemas.ts";
import { type Clock, rfc3339 } from "#shared/runtime/clock.ts";
import type { Product } from "./contract.ts";
import { products } from "./schema.ts";

export interface ProductChange {
  readonly name: string;
  readonly price: Money;
}

/** A product together with what a conditional write compares. */
export interface StoredProduct {
  readonly product: Product;
  readonly revision: number;
}

export interface Products {
  find(sku: string): Promise<StoredProduct | undefined>;
  /** Those of `skus` that exist, by sku. */
  findAll(skus: readonly string[]): Promise<Product[]>;
  /** Up to `limit` products after a sku, by sku. */
  list(page: { after: string; limit: number }): Promise<Product[]>;
  /** Creates or changes; writing what stands already changes nothing, not even `updatedAt`. */
  put(sku: string, change: ProductChange): Promise<{ product: Product; created: boolean }>;
  /** Creates; undefined when the sku is taken. */
  create(sku: string, change: ProductChange): Promise<Product | undefined>;
  /** Changes exactly the given revision; undefined when it is no longer the newest. */
  replace(sku: string, revision: number, change: ProductChange): Promise<Product | undefined>;
}

/** `database` holds the tables of `schema.ts`. */
export const createProducts = (database: BaseSQLiteDatabase<"async", unknown>, clock: Clock): Products => {
  const find: Products["find"] = async (sku) => {
    const [row] = await database.select().from(products).where(eq(products.sku, sku));
    return row && { product: toProduct(row), revision: row.revision };
  };

  return {
    find,

    async findAll(skus) {
      const wanted = sql`(SELECT value FROM json_each(${JSON.stringify(skus)}))`;
      const rows = await database
        .select()
        .from(products)
        .where(sql`${products.sku} IN ${wanted}`)
        .orderBy(products.sku);
      return rows.map(toProduct);
    },

    async list({ after, limit }) {
      const rows = await database
        .select()
        .from(products)
        .where(gt(products.sku, after))
        .orderBy(products.sku)
        .limit(limit);
      return rows.map(toProduct);
    },

    async put(sku, change) {
      const [row] = await database
        .insert(products)
        .values(firstRow(sku, change, clock))
        .onConflictDoUpdate({ target: products.sku, set: nextRow(change, clock), setWhere: differs(change) })
        .returning();
      if (row) return { product: toProduct(row), created: row.revision === 1 };
      const unchanged = await find(sku);
      if (!unchanged) throw new Error(`Writing the product "${sku}": it is neither written nor there`);
      return { product: unchanged.product, created: false };
    },

    async create(sku, change) {
      const [row] = await database
        .insert(products)
        .values(firstRow(sku, change, clock))
        .onConflictDoNothing()
        .returning();
      return row && toProduct(row);
    },

    async replace(sku, revision, change) {
      const [row] = await database
        .update(products)
        .set(nextRow(change, clock))
        .where(and(eq(products.sku, sku), eq(products.revision, revision)))
        .returning();
      return row && toProduct(row);
    },
  };
};

type Row = typeof products.$inferSelect;

const firstRow = (sku: string, { name, price }: ProductChange, clock: Clock): Row => {
  const now = rfc3339(clock());
  const money = { priceAmount: price.amount, priceCurrency: price.currency };
  return { sku, name, ...money, revision: 1, createdAt: now, updatedAt: now };
};

const nextRow = ({ name, price }: ProductChange, clock: Clock) => ({
  name,
  priceAmount: price.amount,
  priceCurrency: price.currency,
  revision: sql`${products.revision} + 1`,
  updatedAt: rfc3339(clock()),
});

const differs = ({ name, price }: ProductChange) =>
  or(
    ne(products.name, name),
    ne(products.priceAmount, price.amount),
    ne(products.priceCurrency, price.currency),
  ) ?? sql`TRUE`;

const toProduct = ({ sku, name, priceAmount, priceCurrency, createdAt, updatedAt }: Row): Product => ({
  sku,
  name,
  price: { amount: priceAmount, currency: priceCurrency as Money["currency"] },
  createdAt,
  updatedAt,
});
