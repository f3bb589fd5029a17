/** The figures as a table for people. */
import { type Figure, reached } from "./figure.ts";
import type { MachineFacts } from "./machine-facts.ts";

const HEAD = ["", "ours", "bare", "ratio", "aim", "", "durability"];

/** Columns of words. */
const LEFT = new Set([0, HEAD.length - 1]);

/** A table in plain text, the machine under it; everything shares the cores: load, workers and NATS. */
export const reportTable = (figures: readonly Figure[], { at, machine, versions }: MachineFacts): string => {
  const rows = [HEAD, ...figures.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        LEFT.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  const stood = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `\n${lines.join("\n")}\n\n${at}, ${machine}, shared by load, workers and NATS\n${stood.join(", ")}\n`;
};

const cellsOf = (figure: Figure): string[] => {
  const { name, unit, ours, bare, ratio } = figure;
  const verdict = reached(figure);
  return [
    `${name}, ${unit}`,
    whole(ours),
    bare === undefined ? "" : whole(bare),
    ratio === undefined ? "" : ratio.toFixed(2),
    aimOf(figure),
    verdict === undefined ? "" : verdict ? "reached" : "not reached",
    figure.durability ?? "",
  ];
};

const aimOf = ({ ratio, aim, atMost }: Figure): string => {
  if (atMost !== undefined) return `≤ ${whole(atMost)}`;
  if (aim === undefined) return "";
  return ratio === undefined ? whole(aim) : aim.toFixed(2);
};

const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
