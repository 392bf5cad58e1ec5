/** How a command ends that cannot go on: one sentence, exit code 1, no stack trace. */
import { asError } from '#base';

/** Exit code of a command that failed. */
export const EXIT_FAILURE = 1;
/** Exit code of `up --once` when an example did not reach its declared state. */
export const EXIT_NOT_REACHED = 2;

/** Prints the error as one line on standard error. */
export function printFailure(error: unknown): void {
  process.stderr.write(`dray: ${asError(error).message.trim().replaceAll('\n', ' ')}\n`);
}
