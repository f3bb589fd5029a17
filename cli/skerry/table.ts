/** Rows in columns for people, as wide as the terminal at most. */
import { type Output, printable } from "./terminal.ts";

/** A column narrower than this tells nothing any more. */
const COLUMN_MIN = 6;
const GAP = "  ";

const BOLD = "\u001b[1m";
const PLAIN = "\u001b[0m";

export interface TableStyle {
  /** Characters of a line; without it nothing is cut. */
  readonly columns?: number | undefined;
  readonly colour?: boolean;
}

/** How tables go to an output: colours for a terminal whose owner did not say NO_COLOR. */
export const tableStyle = (out: Output, env: NodeJS.ProcessEnv): TableStyle =>
  out.isTTY ? { columns: out.columns, colour: !env.NO_COLOR } : {};

/**
 * @param header names of the columns
 * @param rows as many texts as there are columns, each made one line
 * @returns lines, each ended; the widest columns give way first where the line is too short
 */
export const table = (
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { columns, colour = false }: TableStyle = {},
): string => {
  const cells = [header, ...rows].map((row) => row.map((cell) => printable(cell.replace(/\s*\n\s*/g, " "))));
  const natural = header.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const widths = columns === undefined ? natural : fitting(natural, columns);
  const lines = cells.map((row) =>
    row
      .map((cell, index) => cut(cell, widths[index] ?? 0).padEnd(widths[index] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
  const [first = "", ...others] = lines;
  return [colour ? `${BOLD}${first}${PLAIN}` : first, ...others].map((line) => `${line}\n`).join("");
};

const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`;

const fitting = (natural: readonly number[], columns: number): number[] => {
  const widths = [...natural];
  const gaps = GAP.length * (widths.length - 1);
  const excess = () => widths.reduce((sum, width) => sum + width, gaps) - columns;
  while (excess() > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= COLUMN_MIN) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
};
