import { describe, expect, it } from "vitest";
import { namesIn, normalised, renamedIn } from "./sqlite-ddl.ts";

describe("renamedIn", () => {
  it.each([
    ["CREATE TABLE `orders` (`id` text)", 'CREATE TABLE "copy" (`id` text)'],
    ["CREATE TABLE orders(id text)", 'CREATE TABLE "copy"(id text)'],
    ["CREATE TABLE [Orders] (id text)", 'CREATE TABLE "copy" (id text)'],
    ["create table /* orders */ ORDERS (id)", 'create table /* orders */ "copy" (id)'],
    ["CREATE TABLE orders (orders text, x text)", 'CREATE TABLE "copy" (orders text, x text)'],
    [
      'CREATE TABLE "orders" (n int CHECK ("orders"."n" > 0), t text DEFAULT \'orders.\')',
      'CREATE TABLE "copy" (n int CHECK ("copy"."n" > 0), t text DEFAULT \'orders.\')',
    ],
    [
      "CREATE INDEX i ON orders (n) WHERE orders . n > 1",
      'CREATE INDEX i ON "copy" (n) WHERE "copy" . n > 1',
    ],
    ["CREATE TABLE orders_2 (id)", "CREATE TABLE orders_2 (id)"],
  ])("of %s", (sql, expected) => expect(renamedIn(sql, "orders", "copy")).toBe(expected));
});

it("finds names, and none in strings and comments", () =>
  expect(namesIn("SELECT \"A\", 'b' FROM [c] -- d\n JOIN `e` /* f */")).toEqual([
    "select",
    "a",
    "from",
    "c",
    "join",
    "e",
  ]));

it("takes statements for the same that differ in quotes, case and space alone", () => {
  expect(normalised('CREATE TABLE "t" (\n\tn INTEGER)')).toBe(normalised("create table `T`(n integer)"));
  expect(normalised("CREATE TABLE t (n INTEGER)")).not.toBe(normalised("CREATE TABLE t (n INTEGER, m)"));
});
