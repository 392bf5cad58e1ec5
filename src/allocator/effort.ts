/** How much a search may do: counted, never timed, so that the answer does not depend on the machine. */
import { InterruptedError, NodeError } from './refusal.ts';

/** Devices and invocations that one search may look at. Upstream gives up after ten seconds instead; this many take some seconds. */
export const EFFORT_MAX = 5_000_000;

/** Upstream's text when its time is over. */
const EFFORT_TEXT = 'timed out trying to allocate devices';

/** The budget of one search. */
export class Effort {
  readonly #interrupted: (() => string | undefined) | undefined;
  #left: number;
  #steps = 0;

  constructor(max = EFFORT_MAX, interrupted?: () => string | undefined) {
    this.#left = max;
    this.#interrupted = interrupted;
  }

  /** Invocations of the search so far, counted as upstream counts them; branches left out are not among them. */
  get steps(): number {
    return this.#steps;
  }

  /** One invocation. Throws NodeError when nothing is left, InterruptedError when the caller wants no more. */
  step(): void {
    this.#steps++;
    const cause = this.#interrupted?.();
    if (cause !== undefined) throw new InterruptedError(`filter operation aborted: ${cause}`);
    this.spend();
  }

  /** One device looked at. Throws NodeError when nothing is left. */
  spend(): void {
    if (--this.#left < 0) throw new NodeError('searchLimit', EFFORT_TEXT);
  }
}
