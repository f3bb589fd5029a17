/** A failure that one line explains to the person at the terminal: printed without a stack. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  /** What the process ends with. */
  readonly exitCode: number;

  /** @param message one line; more lines only for a list of faults */
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
