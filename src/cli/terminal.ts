/** Where commands print to, and how several failures of one command travel together. */
import { asError } from '#base';

/** Standard output and standard error; texts bring their line ends. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
}

/** Runs `work` for each item, in order, also after one failed; resolves with the failures. */
export async function attemptEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<readonly Error[]> {
  const failures: Error[] = [];
  for (const item of items) await work(item).catch((error: unknown) => failures.push(asError(error)));
  return failures;
}

/** Throws when there are failures: the only one as it is, several as one AggregateError. */
export function throwTogether(failures: readonly Error[]): void {
  const [first, ...others] = failures;
  if (first === undefined) return;
  throw others.length === 0 ? first : new AggregateError(failures, failures.map((failure) => failure.message).join('; '));
}
