/**
 * Reads names of folders, one a line, until the process that writes them has ended, however it did; then ends what
 * still runs on them and removes those that still stand.
 */
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { endOwnedProcesses } from "#cli/owned-processes.ts";

const folders: string[] = [];
for await (const path of createInterface({ input: process.stdin })) folders.push(path);
for (const path of folders) await endOwnedProcesses(path);
for (const path of folders) await rm(path, { recursive: true, force: true, maxRetries: 5 });
