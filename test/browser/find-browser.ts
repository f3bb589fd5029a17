/** The browser of the machine, as tests fetch none. */
import { execFileSync } from "node:child_process";

const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Its path; says so where there is none. */
export const findBrowser = (): string | undefined => {
  for (const name of BROWSERS) {
    try {
      return execFileSync("which", [name], { encoding: "utf8" }).trim();
    } catch {
      // Not this one.
    }
  }
  process.stdout.write(`\n  SKIPPED the pages in a browser: none of ${BROWSERS.join(", ")} is on PATH\n\n`);
  return undefined;
};
