/** Whether clients are told where the time went: the form in which operators say it. */
import * as z from "zod";

export const serverTimingSchema = z.strictObject({
  total: z.boolean().optional().describe("Whether the whole is told beside the phases."),
});

export type WrittenServerTiming = z.infer<typeof serverTimingSchema>;
