/** A failure that one line explains to the person at the terminal: printed without a stack, exit code 1. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
}
