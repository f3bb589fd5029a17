/** `npm start`: the whole system, until it is told to stop. */
import { readSettings, runSystem } from "./run-system.ts";
import { untilStopped } from "./until-stopped.ts";

export const main = async (args: string[]): Promise<number> => {
  const settings = readSettings(args, process.env);
  return untilStopped((signal) => runSystem(settings, signal));
};
