/** The pieces of a route's description that all services write alike. */
import * as z from "zod";
import { PLATFORM_PROBLEMS, type ProblemTable } from "./errors.ts";
import { PROBLEM_MEDIA_TYPE } from "./problem.ts";

/** A JSON body that must be there: `request: { body: jsonBody(schema) }`. */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true as const,
  content: { "application/json": { schema } },
});

/** A JSON answer: `responses: { 200: jsonAnswer(schema, "The order") }`. */
export const jsonAnswer = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

const problemSchema = z
  .object({
    type: z.string().meta({ example: "/problems/not_found" }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem" });

const problemAnswer = (description: string) => ({
  description,
  content: { [PROBLEM_MEDIA_TYPE]: { schema: problemSchema } } as {
    "application/problem+json": { schema: typeof problemSchema };
  },
});

/**
 * What else a route may answer: `responses: { 200: …, ...problemAnswers(PROBLEMS, "product_not_found") }`.
 * Each code is documented under its status; for the compiler all of them are the default answer, so that
 * handlers may return `c.var.problem(…)` whatever its status.
 */
export const problemAnswers = <Table extends ProblemTable>(
  table: Table,
  ...codes: (Extract<keyof Table, string> | keyof typeof PLATFORM_PROBLEMS)[]
): { default: ReturnType<typeof problemAnswer> } => {
  const all: ProblemTable = { ...PLATFORM_PROBLEMS, ...table };
  const byStatus: Record<number, string[]> = {};
  for (const code of codes) {
    const type = all[code];
    if (type) byStatus[type.status] = [...(byStatus[type.status] ?? []), `${code}: ${type.title}`];
  }
  const documented = Object.entries(byStatus).map(([status, lines]) => [
    status,
    problemAnswer(lines.join("; ")),
  ]);
  return { ...Object.fromEntries(documented), default: problemAnswer("Anything else that goes wrong") };
};
