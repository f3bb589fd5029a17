/** Answers with a refusal of documents, each fault at its path. */
import type { Failure } from "#shared/http/errors.ts";
import type { FieldFault, ProblemResponse } from "#shared/http/problem.ts";
import type { ServiceEnv } from "#shared/http/service-app.ts";

export const refused = (
  c: { readonly var: ServiceEnv["Variables"] },
  { code, detail, errors }: Failure & { readonly errors?: readonly FieldFault[] },
): ProblemResponse => c.var.problem({ code, detail }, errors && errors.length > 0 ? { errors } : {});
