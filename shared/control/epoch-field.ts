/** The header, and the field of other carriers, in which workers tell each other their epoch; none from outside is let in. */
export const EPOCH_FIELD = "skerry-internal-epoch";
