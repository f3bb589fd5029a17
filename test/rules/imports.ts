/** The import graph of the project's sources, read from their text. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { ROOT } from "#cli/workers.ts";

export interface Import {
  /** The importing file, relative to the project's folder. */
  readonly from: string;
  /** A file of the project, relative to its folder; or a package or module of the platform, as written. */
  readonly to: string;
  /** Gone when types are stripped. */
  readonly typeOnly: boolean;
}

const FOLDERS = "{cli,nats,otel,shared,workers}";

/** `import … from "x"`, `export … from "x"`, `import "x"` and `import("x")`. */
const STATEMENT =
  /(?:^|\n)\s*(import|export)\s+(type\s)?(?:[\w*{][^;"']*?\sfrom\s+)?["']([^"'\n]+)["']|\bimport\(\s*["']([^"'\n]+)["']/g;

const resolve = (from: string, specifier: string): string => {
  if (specifier.startsWith("#")) return specifier.slice(1);
  return specifier.startsWith(".") ? normalize(join(dirname(from), specifier)) : specifier;
};

export const importsOf = (file: string, text: string): Import[] =>
  [...text.matchAll(STATEMENT)].map(([, , type, named, dynamic]) => ({
    from: file,
    to: resolve(file, named ?? dynamic ?? ""),
    typeOnly: type !== undefined,
  }));

export interface Source {
  readonly file: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Every source that is not a test, with its imports. */
export const readSources = (): Source[] =>
  globSync(`${FOLDERS}/**/*.{ts,tsx}`, { cwd: ROOT })
    .filter((file) => !/\.(test|d)\.tsx?$/.test(file))
    .map((file) => relative(ROOT, join(ROOT, file)))
    .map((file) => {
      const text = readFileSync(join(ROOT, file), "utf8");
      return { file, text, imports: importsOf(file, text) };
    });

/** One cycle of files that need each other at run time, in order; null when there is none. */
export const findCycle = (imports: readonly Import[]): string[] | null => {
  const next = Map.groupBy(
    imports.filter(({ typeOnly }) => !typeOnly),
    ({ from }) => from,
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const { to } of next.get(file) ?? []) {
      const cycle = visit(to, [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of next.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return null;
};
