import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OddityTally, oddityTally } from "./oddities.ts";
import { openRetailFile, RETAIL_COLUMNS, type RetailRow, retailRows } from "./retail-rows.ts";

const HEADER = RETAIL_COLUMNS.join(",");

const collected = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
};

const rowsOf = (bytes: Uint8Array | string, tally: OddityTally = oddityTally()): Promise<RetailRow[]> => {
  async function* source() {
    yield* [Buffer.from(bytes)];
  }
  return collected(retailRows(source(), tally));
};
const described = (text: string) => `${HEADER}\n1,A,${text},1,,1,9,UK\n`;
const latin1 = (text: string) => Buffer.from(text, "latin1");

describe("reading a retail file", () => {
  it("gives each row's cells trimmed, with its line", async () => {
    expect(
      await rowsOf(`${HEADER}\r\n536365, 85123A ,HEART ,6,1/12/2010,2.55,17850,United Kingdom\r\n`),
    ).toEqual([
      {
        line: 2,
        invoice: "536365",
        stockCode: "85123A",
        description: "HEART",
        quantity: "6",
        price: "2.55",
        customer: "17850",
      },
    ]);
  });

  it("takes a byte order mark, UTF-8 and Latin-1, even mixed", async () => {
    const bytes = Buffer.concat([
      Buffer.from(`\ufeff${described("£ UTF-8")}`),
      latin1("2,A,£ Latin-1,1,,1,9,UK\n"),
    ]);
    expect((await rowsOf(bytes)).map((row) => row.description)).toEqual(["£ UTF-8", "£ Latin-1"]);
  });

  it("takes quoted commas, doubled quotes and quotes in the middle of a cell", async () => {
    const texts = ['"RED, WHITE"', '"A ""B"""', '12" PLATE'];
    const read = await Promise.all(
      texts.map(async (text) => (await rowsOf(described(text)))[0]?.description),
    );
    expect(read).toEqual(["RED, WHITE", 'A "B"', '12" PLATE']);
  });

  it.each([
    ["a row of another width", "1,A,x,1\n", "4 columns"],
    ["a quote that is never closed", '1,A,"x,1,,1,9,UK\n', "Quote Not Closed"],
  ])("notes %s and keeps the others", async (_, row, example) => {
    const tally = oddityTally();
    expect(await rowsOf(described("before") + row, tally)).toHaveLength(1);
    expect(tally.counts()).toMatchObject([
      { oddity: "unreadable_row", count: 1, example: expect.stringContaining(example) },
    ]);
  });

  it.each([
    ["nothing", ""],
    ["another table", "id;name\n1;x\n"],
    ["a picture", latin1("\x89PNG\r\n\x1a\n\0\0\0")],
  ])("stops at the header of %s and says what was expected", async (_, bytes) => {
    await expect(rowsOf(bytes)).rejects.toThrow(`expected "${HEADER}"`);
  });

  it("reads any text after the header without failing", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom(...'a1,"\n\r-.£') }), async (text) => {
        for (const row of await rowsOf(`${HEADER}\n${text}`)) expect(row.line).toBeGreaterThan(1);
      }),
    );
  });
});

describe("opening a retail file", () => {
  const inFile = async (bytes: Uint8Array, check: (path: string) => Promise<void>) => {
    const folder = await mkdtemp(join(tmpdir(), "retail-"));
    try {
      await writeFile(join(folder, "orders"), bytes);
      await check(join(folder, "orders"));
    } finally {
      await rm(folder, { recursive: true });
    }
  };
  const read = async (path: string) => collected(retailRows(await openRetailFile(path), oddityTally()));

  it("unzips by content, whatever the name", async () => {
    await inFile(gzipSync(described("x")), async (path) => expect(await read(path)).toHaveLength(1));
    await inFile(Buffer.from(described("x")), async (path) => expect(await read(path)).toHaveLength(1));
  });

  it("says so when the archive is cut off", async () => {
    await inFile(gzipSync(described("x")).subarray(0, 30), async (path) => {
      await expect(read(path)).rejects.toThrow("unexpected end of file");
    });
  });

  it("names a file that is not there", async () => {
    await expect(openRetailFile("/nowhere/orders.csv")).rejects.toThrow('"/nowhere/orders.csv"');
  });
});
