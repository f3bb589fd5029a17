/** Builds one worker into one module, by the rules that `wrangler deploy` bundles by. */
import { builtinModules } from "node:module";
import { build } from "esbuild";

/** Packages made for Node name its modules without the prefix; the Workers runtime knows them with it. */
const NODE_ALIASES = Object.fromEntries(
  builtinModules
    .filter((name) => !name.startsWith("_") && !name.startsWith("node:"))
    .map((name) => [name, `node:${name}`]),
);

/** Some of them are CommonJS and call `require` for Node's modules. */
const REQUIRE = `import { createRequire as __createRequire } from "node:module"; const require = __createRequire("/");`;

/**
 * @param entry absolute path of the worker's main module
 * @returns the module's text
 * @throws Error with esbuild's messages, file and line included
 */
export const bundleWorker = async (entry: string): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [entry],
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
    keepNames: true,
    logLevel: "silent",
  });
  const [module] = outputFiles;
  if (!module) throw new Error(`cannot bundle "${entry}": esbuild wrote nothing`);
  return module.text;
};
