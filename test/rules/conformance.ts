/** Which sections of which standards tests hold, read from their titles: "RFC 9111 §4.2.3: what holds". */
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ROOT } from "#cli/workers.ts";

/** In the order of the document; a title begins with one of these names, `§`, the section, and a colon. */
export const STANDARDS: readonly (readonly [name: string, about: string])[] = [
  ["RFC 9110", "HTTP semantics"],
  ["RFC 9113", "HTTP/2"],
  ["RFC 9111", "HTTP caching"],
  ["RFC 5861", "`stale-while-revalidate` and `stale-if-error`"],
  ["RFC 9211", "`Cache-Status`"],
  ["RFC 9457", "problem details"],
  ["RFC 9745", "`Deprecation`"],
  ["RFC 8594", "`Sunset`"],
  ["RFC 5829", "link relations of versions"],
  ["RFC 8288", "web linking"],
  ["RateLimit draft-11", "draft-ietf-httpapi-ratelimit-headers-11"],
  ["RFC 6585", "429"],
  ["RFC 9651", "structured fields"],
  ["W3C Trace Context", "level 2"],
  ["Server-Timing", "W3C"],
  ["Fetch", "CORS, by the headings of the WHATWG's standard"],
  ["RFC 6750", "bearer tokens"],
  ["RFC 7515", "JSON Web Signature"],
  ["RFC 7519", "JSON Web Token"],
  ["RFC 8725", "best practices for JSON Web Tokens"],
  ["RFC 6265bis", "cookies"],
  ["RFC 6797", "`Strict-Transport-Security`"],
  ["RFC 7239", "`Forwarded`"],
];

export interface Claim {
  readonly standard: string;
  readonly section: string;
  /** What holds; `…` stands where tests put their cases in. */
  readonly held: string;
  /** The test's file, relative to the project's folder. */
  readonly file: string;
}

const TITLE = new RegExp(
  `\\(\\s*(["'\`])(${STANDARDS.map(([name]) => name).join("|")}) §([^:]+?): ((?:\\\\.|(?!\\1)[^\\\\\\n])+)\\1,`,
  "g",
);

export const claimsOf = (file: string, text: string): Claim[] =>
  [...text.matchAll(TITLE)].map(([, , standard = "", section = "", held = ""]) => ({
    standard,
    section: section.replace(/%[sdij]$/, ""),
    held: held.replaceAll(/\\(.)/g, "$1").replaceAll(/%[sdij]/g, "…"),
    file,
  }));

export interface Suite {
  readonly file: string;
  readonly claims: readonly Claim[];
}

/** Every file of tests, with what its titles claim. */
export const readSuites = (): Suite[] =>
  globSync("{cli,nats,otel,shared,test,workers}/**/*.test.ts", { cwd: ROOT })
    .filter((file) => !file.startsWith("test/rules/"))
    .sort()
    .map((file) => ({ file, claims: claimsOf(file, readFileSync(join(ROOT, file), "utf8")) }));

/** One table for each standard, sections in order. */
export const tablesOf = (suites: readonly Suite[]): string => {
  const claims = suites.flatMap((suite) => suite.claims);
  return STANDARDS.map(([name, about]) => {
    const rows = claims
      .filter(({ standard }) => standard === name)
      .sort(bySection)
      .map(rowOf);
    return [
      `### ${name}: ${about}`,
      "",
      "| Section | What is held | Shown by |",
      "|---|---|---|",
      ...rows,
    ].join("\n");
  }).join("\n\n");
};

const bySection = (one: Claim, other: Claim): number =>
  one.section.localeCompare(other.section, "en", { numeric: true });

const rowOf = ({ section, held, file }: Claim): string =>
  `| ${section} | ${cell(held)} | [${basename(file)}](../../${file}) |`;

const cell = (text: string): string =>
  text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("*", "\\*");
