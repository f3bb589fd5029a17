/** Draws processes as SVG: states, and between them a card for each step; legible in light and dark, by colour and by words. */
import type { AnyProcessManager } from "./process-manager.ts";
import { START } from "./process-manager.ts";
import { type PicturedProcess, type PicturedStep, pictured } from "./process-picture.ts";
import { type Box, type Layout, layoutOf } from "./process-picture-layout.ts";

const LINE = 19;
const PAD = 12;
const HEAD = 62;
const MARGIN = 20;
const WIDTH_MIN = 640;
const CARD_WIDTH_MAX = 340;
/** Upper bounds of a letter's width, because who draws cannot measure. */
const LETTER = { plain: 7.1, strong: 8 };

/** Okabe and Ito's colours, which colour-blind people tell apart; lighter ones on dark ground. */
const STYLE = `
    .ground { fill: #ffffff } text { fill: #24292f; font: 13px system-ui, sans-serif } .title { font-weight: 600; font-size: 15px }
    .strong { font-weight: 600 } .quiet { fill: #57606a }
    .state { fill: #f0f2f4; stroke: #57606a; stroke-width: 1.5 } .end { stroke-width: 3.5 }
    .card { fill: #ffffff; stroke: #d8dee4; stroke-width: 1.5 } .edge { fill: none; stroke: #57606a; stroke-width: 1.5 } .tip { fill: #57606a }
    .event { fill: #0072b2 } .timeout { fill: #d55e00 } .failure { fill: #6f4b8b }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117 } text { fill: #e6edf3 } .quiet { fill: #9198a1 }
      .state { fill: #1b222b; stroke: #9198a1 } .card { fill: #0d1117; stroke: #30363d } .edge { stroke: #9198a1 } .tip { fill: #9198a1 }
      .event { fill: #58b4ff } .timeout { fill: #ff9d5c } .failure { fill: #cfa5f0 }
    }`;

/** One below the other. */
export const processesSvg = (managers: readonly AnyProcessManager[]): string => {
  const drawings = managers.map((manager) => drawingOf(pictured(manager)));
  const width = Math.max(WIDTH_MIN, ...drawings.map((drawing) => drawing.width));
  let top = 0;
  const drawn = drawings.map(({ draw, height, ...drawing }) => {
    const at = top;
    top += height;
    return draw((width - drawing.width) / 2, at);
  });
  const names = managers.map(({ name }) => name).join(", ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(top)}" role="img" aria-label="The steps of ${escaped(names)}">
  <style>${STYLE}
  </style>
  <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="tip" d="M0 0 L8 4 L0 8 z"/></marker></defs>
  <rect class="ground" width="${round(width)}" height="${round(top)}"/>
${drawn.join("\n")}
</svg>
`;
};

interface Drawing {
  readonly width: number;
  readonly height: number;
  draw(left: number, top: number): string;
}

const drawingOf = (process: PicturedProcess): Drawing => {
  const cards = process.steps.map(cardOf);
  const layout = layoutOf(process, {
    state: (name) => ({ width: Math.max(90, widthOf(name, "strong") + 36), height: 36 }),
    step: (index) => cards[index] ?? { width: 0, height: 0 },
  });
  return {
    width: layout.width + 2 * MARGIN,
    height: layout.height + HEAD + MARGIN,
    draw: (left, top) =>
      [
        `  <text class="title" x="${MARGIN}" y="${top + 26}">${escaped(`${process.service}: ${process.name}`)}</text>`,
        `  <text class="quiet" x="${MARGIN}" y="${top + 46}">${escaped(process.purpose)}</text>`,
        `  <g transform="translate(${round(left + MARGIN)} ${top + HEAD})">`,
        ...edgesOf(process, layout),
        ...process.states.map((state) => stateAt(process, state, layout.states.get(state) as Box)),
        ...cards.map((card, index) => cardAt(card, layout.steps[index] as Box)),
        "  </g>",
      ].join("\n"),
  };
};

interface Card {
  readonly kind: PicturedStep["kind"];
  readonly rows: readonly { readonly text: string; readonly look: "strong" | "plain" }[];
  readonly width: number;
  readonly height: number;
}

const cardOf = ({ kind, on, does }: PicturedStep): Card => {
  const rows = [
    ...on.flatMap((text, index) =>
      wrapped(index === 0 ? text : `or ${text}`, "strong").map((row) => ({
        text: row,
        look: "strong" as const,
      })),
    ),
    ...does.flatMap((text) => wrapped(text, "plain").map((row) => ({ text: row, look: "plain" as const }))),
  ];
  const width = Math.max(...rows.map(({ text, look }) => widthOf(text, look))) + 2 * PAD + 6;
  return { kind, rows, width, height: rows.length * LINE + PAD + 4 };
};

const widthOf = (text: string, look: keyof typeof LETTER): number => Math.ceil(text.length * LETTER[look]);

/** Rows that fit into a card; continued ones stand further in. */
const wrapped = (text: string, look: keyof typeof LETTER): string[] => {
  const rows: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${rows.at(-1) ?? ""} ${word}`.trimStart();
    if (rows.length > 0 && widthOf(longer, look) <= CARD_WIDTH_MAX - 2 * PAD) rows[rows.length - 1] = longer;
    else rows.push(word);
  }
  return rows;
};

const stateAt = ({ ends }: PicturedProcess, state: string, { x, y, width, height }: Box): string => {
  const look = ends.includes(state) && state !== START ? "state end" : "state";
  return `    <rect class="${look}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${height}" rx="${height / 2}"/><text class="strong" x="${round(x + width / 2)}" y="${round(y + height / 2 + 4.5)}" text-anchor="middle">${escaped(state)}</text>`;
};

const cardAt = ({ kind, rows }: Card, { x, y, width, height }: Box): string =>
  [
    `    <rect class="card" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${height}" rx="6"/><rect class="${kind}" x="${round(x)}" y="${round(y + 6)}" width="5" height="${height - 12}" rx="2.5"/>`,
    ...rows.map(
      ({ text, look }, index) =>
        `    <text${look === "strong" ? ' class="strong"' : ""} x="${round(x + PAD + 4)}" y="${round(y + LINE * (index + 1))}">${escaped(text)}</text>`,
    ),
  ].join("\n");

const edgesOf = ({ steps }: PicturedProcess, layout: Layout): string[] =>
  steps.flatMap(({ from, to }, index) => {
    const card = layout.steps[index] as Box;
    const target = layout.states.get(to) as Box;
    return [
      ...from.map((state) => edge(layout, layout.states.get(state) as Box, card, "")),
      edge(layout, card, target, ' marker-end="url(#tip)"'),
    ];
  });

/** Half of what is free between two rows. */
const BETWEEN = 17;
const CORNER = 8;

const edge = (layout: Layout, from: Box, to: Box, tip: string): string => {
  const [x1, y1] = [round(from.x + from.width / 2), round(from.y + from.height)];
  const [x2, y2] = [round(to.x + to.width / 2), round(to.y)];
  const line = (d: string) => `    <path class="edge" d="${d}"${tip}/>`;
  const gap = rowGapBelow(layout, from);
  if (y2 > y1 && y2 - y1 <= gap) {
    const half = round((y2 - y1) / 2);
    return line(`M${x1} ${y1} C${x1} ${y1 + half} ${x2} ${round(y2 - half)} ${x2} ${y2}`);
  }
  const r = CORNER;
  const above = round(y2 - BETWEEN);
  // Along the lane, and in from above, with round corners.
  if (y2 > y1) {
    const { left } = layout.lanes;
    const out = `M${round(from.x)} ${round(from.y + from.height / 2)} H${left + r}`;
    return line(
      `${out} q-${r} 0 -${r} ${r} V${above - r} q0 ${r} ${r} ${r} H${x2 - r} q${r} 0 ${r} ${r} V${y2}`,
    );
  }
  const { right } = layout.lanes;
  const out = `M${x1} ${y1} V${round(y1 + gap - BETWEEN - r)} q0 ${r} ${r} ${r} H${right - r}`;
  return line(
    `${out} q${r} 0 ${r} -${r} V${above + r} q0 -${r} -${r} -${r} H${x2 + r} q-${r} 0 -${r} ${r} V${y2}`,
  );
};

/** From the box's lower end to where the next row begins. */
const rowGapBelow = ({ states, steps }: Layout, { y, height }: Box): number => {
  const below = [...states.values(), ...steps].map((box) => box.y).filter((top) => top > y);
  return below.length === 0 ? 2 * BETWEEN : Math.min(...below) - y - height;
};

const round = (value: number): number => Math.round(value * 10) / 10;
const escaped = (text: string): string => text.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`);
