/** Until when a version is offered, and what comes after it: the form in which operators say it. */
import * as z from "zod";
import { isUriReference } from "./uri-reference.ts";

const moment = () => z.union([z.iso.date(), z.iso.datetime({ offset: true })]);
const reference = () =>
  z.string().max(2_048).refine(isUriReference, "expected a path or an http(s) URL, as a header can carry it");

export const lifecycleSchema = z
  .strictObject({
    deprecated: moment()
      .optional()
      .describe(
        "Since when, or from when on, new clients should not use it: a date, or a date with time, in UTC where it does not say.",
      ),
    sunset: moment().optional().describe("From when on it is answered with 410; not before `deprecated`."),
    link: reference().optional().describe("A page that tells of its end."),
    successor: reference().optional().describe("What takes its place."),
  })
  .refine(
    ({ deprecated, sunset }) => !deprecated || !sunset || Date.parse(sunset) >= Date.parse(deprecated),
    {
      path: ["sunset"],
      message: "expected no earlier moment than that of `deprecated` (RFC 9745 section 4)",
    },
  );

/** As it is written: stronger, field by field, than what instances say in their metadata. */
export type WrittenLifecycle = z.infer<typeof lifecycleSchema>;
