/** How a command ends that cannot go on: one sentence per failure, exit code 1, no stack trace. */
import { asError } from '#base';

/** Exit code of a command that failed. */
export const EXIT_FAILURE = 1;
/** Exit code of `up --once` when an example did not reach its declared state. */
export const EXIT_NOT_REACHED = 2;

/** Prints the error as one line on standard error; several that travel together as one line each. */
export function printFailure(error: unknown): void {
  for (const each of error instanceof AggregateError ? error.errors : [error]) {
    process.stderr.write(
      `dray: ${asError(each)
        .message.trim()
        .replaceAll(/\s*\n\s*/g, ' ')}\n`,
    );
  }
}
