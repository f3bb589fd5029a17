/** Draws panels of lines over seconds as SVG: legible in light and dark, by colour, by dash and by a name at each line's end. */

export interface Line {
  /** Stands at the line's end, with its last value. */
  readonly name: string;
  readonly look: "first" | "second" | "third";
  /** One value for each second. */
  readonly values: readonly number[];
}

export interface Panel {
  readonly title: string;
  /** What is counted. */
  readonly unit: string;
  readonly lines: readonly Line[];
}

export interface Chart {
  readonly title: string;
  readonly panels: readonly Panel[];
  /** The second that is called 0, what they count from then on, and for how many the ground is shaded. */
  readonly zero: number;
  readonly secondsName: string;
  readonly shaded: { readonly seconds: number; readonly name: string };
}

const WIDTH = 860;
const LEFT = 70;
const RIGHT = 190;
const PANEL = 250;
const TOP = 62;
const PLOT = 150;
const LABEL_GAP = 17;
const STEP_SECONDS = 30;

/** Okabe and Ito's colours, which colour-blind people tell apart; lighter ones on dark ground. */
const STYLE = `
    .ground { fill: #ffffff } text { fill: #24292f; font: 13px system-ui, sans-serif } .title { font-weight: 600; font-size: 15px }
    .axis { stroke: #57606a } .grid { stroke: #d8dee4 } .shade { fill: #f0f2f4 }
    .line { fill: none; stroke-width: 2.5 }
    .first { stroke: #d55e00; stroke-dasharray: 7 4 } .second { stroke: #0072b2; stroke-width: 3.5 } .third { stroke: #6f4b8b; stroke-dasharray: 2 4 }
    .leader { stroke-dasharray: none; stroke-width: 1 }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117 } text { fill: #e6edf3 } .axis { stroke: #9198a1 } .grid { stroke: #30363d } .shade { fill: #1b222b }
      .first { stroke: #ff9d5c } .second { stroke: #58b4ff } .third { stroke: #cfa5f0 }
    }`;

export const svgChart = ({ title, panels, zero, secondsName, shaded }: Chart): string => {
  const height = panels.length * PANEL + 20;
  const drawn = panels.map((panel, index) =>
    drawPanel(panel, {
      top: index * PANEL + TOP,
      zero,
      shaded: index === 0 ? shaded : { ...shaded, name: "" },
    }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">
  <style>${STYLE}
  </style>
  <rect class="ground" width="${WIDTH}" height="${height}"/>
${drawn.join("\n")}
  <text x="${LEFT}" y="${height - 10}">${escaped(secondsName)}</text>
</svg>
`;
};

interface Frame extends Pick<Chart, "zero" | "shaded"> {
  /** Of the plot. */
  readonly top: number;
}

const drawPanel = ({ title, unit, lines }: Panel, { top, zero, shaded }: Frame): string => {
  const seconds = Math.max(...lines.map(({ values }) => values.length));
  const most = roundedUp(Math.max(1, ...lines.flatMap(({ values }) => values)));
  const x = (second: number) => round(LEFT + (second / seconds) * (WIDTH - LEFT - RIGHT));
  const y = (value: number) => round(top + PLOT * (1 - value / most));
  const bottom = top + PLOT;
  const ends = lines.map(({ values }) => y(values.at(-1) ?? 0));
  const labels = spread(ends, LABEL_GAP);
  const rows = [0, 0.5, 1].map((share) => share * most);
  const times = Array.from({ length: Math.floor(seconds / STEP_SECONDS) + 1 }, (_, n) => n * STEP_SECONDS);
  return [
    `  <text class="title" x="12" y="${top - 32}">${escaped(title)}</text>`,
    `  <text x="12" y="${top - 12}">${escaped(unit)}</text>`,
    `  <rect class="shade" x="${x(zero)}" y="${top}" width="${round(x(zero + shaded.seconds) - x(zero))}" height="${PLOT}"/>`,
    shaded.name && `  <text x="${x(zero) + 6}" y="${top + 15}">${escaped(shaded.name)}</text>`,
    ...rows.map(
      (value) =>
        `  <line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/><text x="${LEFT - 8}" y="${round(y(value) + 4)}" text-anchor="end">${shown(value)}</text>`,
    ),
    `  <line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${bottom}" y2="${bottom}"/>`,
    ...times.map(
      (second) =>
        `  <text x="${x(second)}" y="${bottom + 17}" text-anchor="middle">${second - zero}${second === times.at(-1) ? " s" : ""}</text>`,
    ),
    ...lines.map(
      ({ look, values }) =>
        `  <polyline class="line ${look}" points="${values.map((value, second) => `${x(second + 1)},${y(value)}`).join(" ")}"/>`,
    ),
    ...lines.map(({ look, name, values }, index) => {
      const [end = 0, label = 0] = [ends[index], labels[index]];
      const [from, to] = [x(values.length) + 3, WIDTH - RIGHT + 24];
      return `  <line class="leader ${look}" x1="${from}" y1="${end}" x2="${to - 4}" y2="${label}"/><text x="${to}" y="${round(label + 4)}">${escaped(name)}: ${shown(values.at(-1) ?? 0)}</text>`;
    }),
  ]
    .filter((row) => row !== "")
    .join("\n");
};

/** The same places, in their order, moved up until each two are `gap` apart: below is the axis. */
export const spread = (places: readonly number[], gap: number): number[] => {
  const moved = [...places];
  const order = places.map((_, index) => index).sort((a, b) => (places[b] ?? 0) - (places[a] ?? 0) || b - a);
  let below = Number.POSITIVE_INFINITY;
  for (const index of order) {
    below = Math.min(places[index] ?? 0, below - gap);
    moved[index] = below;
  }
  return moved;
};

/** To 1, 2, 3, 4, 5, 6 or 8 of a power of ten. */
const roundedUp = (value: number): number => {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
};

const round = (value: number): number => Math.round(value * 10) / 10;
const shown = (value: number): string => value.toLocaleString("en");
const escaped = (text: string): string => text.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`);
