/** A live oracle: a program that answers JSON lines with what upstream's libraries say. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

/** No request takes upstream longer, save those on which it hangs. */
const ANSWER_TIMEOUT_MS = 20_000;

/** Asks the program one request after the other; starts it anew when it died or hung. */
export class LiveOracle {
  readonly #program: string;
  #child: ChildProcessWithoutNullStreams | undefined;
  #lines: Interface | undefined;

  constructor(program: string) {
    this.#program = program;
  }

  /** The answer line, or what became of the program. */
  async ask(request: string): Promise<{ readonly line: string } | { readonly lost: 'crashed' | 'hung' }> {
    const child = this.#started();
    const lines = this.#lines;
    if (lines === undefined) return { lost: 'crashed' };
    const { promise, resolve } = Promise.withResolvers<{ readonly line: string } | { readonly lost: 'crashed' | 'hung' }>();
    const timer = setTimeout(() => resolve({ lost: 'hung' }), ANSWER_TIMEOUT_MS);
    const answered = (line: string): void => resolve({ line });
    const closed = (): void => resolve({ lost: 'crashed' });
    lines.once('line', answered).once('close', closed);
    child.stdin.write(`${request}\n`);
    const answer = await promise;
    clearTimeout(timer);
    lines.off('line', answered).off('close', closed);
    if ('lost' in answer) this.stop();
    return answer;
  }

  #started(): ChildProcessWithoutNullStreams {
    if (this.#child !== undefined) return this.#child;
    const child = spawn(this.#program, [], { stdio: 'pipe' });
    child.stdin.on('error', () => undefined);
    child.stderr.resume();
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout });
    return child;
  }

  /** Ends the program. */
  stop(): void {
    this.#child?.kill('SIGKILL');
    this.#lines?.close();
    this.#child = undefined;
    this.#lines = undefined;
  }
}
