/** Builds the workers, each into one module, by the rules that `wrangler deploy` bundles by. */
import { builtinModules } from "node:module";
import { basename } from "node:path";
import { context } from "esbuild";

/** Packages made for Node name its modules without the prefix; the Workers runtime knows them with it. */
const NODE_ALIASES = Object.fromEntries(
  builtinModules
    .filter((name) => !name.startsWith("_") && !name.startsWith("node:"))
    .map((name) => [name, `node:${name}`]),
);

/** Some of them are CommonJS and call `require` for Node's modules. */
const REQUIRE = `import { createRequire as __createRequire } from "node:module"; const require = __createRequire("/");`;

export interface Bundler {
  /** The modules' texts by worker name; after the first time only what changed is read again. @throws Error with esbuild's messages */
  build(): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

/**
 * One build for all, because they share most of their files and esbuild then reads each once.
 * @param entries absolute paths of the main modules by worker name
 */
export const createBundler = async (entries: Readonly<Record<string, string>>): Promise<Bundler> => {
  const bundling = await context({
    entryPoints: { ...entries },
    outdir: "bundles",
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["browser", "module", "main"],
    external: ["node:*", "cloudflare:*"],
    alias: NODE_ALIASES,
    banner: { js: REQUIRE },
    define: { "process.env.NODE_ENV": '"production"', "navigator.userAgent": '"Cloudflare-Workers"' },
    loader: { ".html": "text", ".txt": "text", ".sql": "text", ".bin": "binary" },
    // Naming each closure as it is made costs a twentieth of the throughput; stack traces show names all the same.
    keepNames: false,
    logLevel: "silent",
  });
  return {
    build: async () => {
      const { outputFiles = [] } = await bundling.rebuild();
      return Object.fromEntries(outputFiles.map(({ path, text }) => [basename(path, ".js"), text]));
    },
    close: () => bundling.dispose(),
  };
};
