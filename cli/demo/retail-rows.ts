/** Reads a file of the UCI Online Retail format, gzipped or not, UTF-8 or Latin-1, row by row. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { type CsvError, parse } from "csv-parse";
import { CliFailure } from "../failure.ts";
import type { OddityTally } from "./oddities.ts";

export const RETAIL_COLUMNS = [
  "InvoiceNo",
  "StockCode",
  "Description",
  "Quantity",
  "InvoiceDate",
  "UnitPrice",
  "CustomerID",
  "Country",
] as const;

/** One row, trimmed but otherwise as it stands in the file; `line` counts from 1, the header included. */
export type RetailRow = {
  line: number;
  invoice: string;
  stockCode: string;
  description: string;
  quantity: string;
  price: string;
  customer: string;
};

/** A record's bytes: the longest real one has under 200, and an unclosed quote must not gather the whole file. */
const RECORD_BYTES_MAX = 64 * 1024;

/** The file's bytes, unzipped when they begin like gzip whatever the name. @throws CliFailure when it cannot be opened */
export const openRetailFile = async (path: string): Promise<Readable> => {
  try {
    const file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    await file.close();
    const bytes = createReadStream(path);
    if (bytesRead < 2 || buffer.readUInt16BE() !== 0x1f8b) return bytes;
    return pipeline(bytes, createGunzip(), () => {});
  } catch (error) {
    throw new CliFailure(`reading orders from "${path}": ${(error as Error).message}`);
  }
};

/**
 * The rows after the header; a row that cannot be read is noted and left out.
 * @throws CliFailure when the header is another one, or the bytes cannot be read to their end
 */
export async function* retailRows(
  bytes: AsyncIterable<Uint8Array>,
  tally: OddityTally,
): AsyncGenerator<RetailRow> {
  const parser = parse({
    encoding: "latin1",
    info: true,
    max_record_size: RECORD_BYTES_MAX,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
  });
  parser.on("skip", (error: CsvError) => tally.note("unreadable_row", error.message));
  pipeline(Readable.from(withoutByteOrderMark(bytes)), parser, () => {});
  let headerSeen = false;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      const cells = record.map((cell) => decoded(cell).trim());
      if (headerSeen) yield* rowOf(cells, info.lines, tally);
      else headerSeen = checkHeader(cells);
    }
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    throw new CliFailure(`reading the orders file: ${(error as Error).message}`);
  }
  if (!headerSeen) checkHeader([]);
}

function* rowOf(cells: string[], line: number, tally: OddityTally): Generator<RetailRow> {
  const [invoice = "", stockCode = "", description = "", quantity = "", , price = "", customer = ""] = cells;
  if (cells.length === RETAIL_COLUMNS.length)
    yield { line, invoice, stockCode, description, quantity, price, customer };
  else tally.note("unreadable_row", `line ${line}: ${cells.length} columns, "${cells.join(",")}"`);
}

const checkHeader = (cells: readonly string[]): true => {
  const found = cells.join(",");
  const expected = RETAIL_COLUMNS.join(",");
  if (found === expected) return true;
  throw new CliFailure(
    `reading the orders file: its first line is "${printable(found)}", expected "${expected}"`,
  );
};

const printable = (text: string): string => text.slice(0, 120).replace(/[^\x20-\x7e\xa0-\xff]/g, "?");

async function* withoutByteOrderMark(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let start = Buffer.alloc(0);
  let started = false;
  for await (const chunk of bytes) {
    if (started) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    started = start.length >= 3;
    if (started) yield start.toString("latin1", 0, 3) === "\xef\xbb\xbf" ? start.subarray(3) : start;
  }
  if (!started) yield start;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Cells come in as Latin-1; one whose bytes are valid UTF-8 is that, so that a file may even mix the two. */
const decoded = (cell: string): string => {
  if (!/[\x80-\xff]/.test(cell)) return cell;
  try {
    return utf8.decode(Buffer.from(cell, "latin1"));
  } catch {
    return cell;
  }
};
