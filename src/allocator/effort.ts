/** How much a search may do: counted, never timed, so that the answer does not depend on the machine. */
import { NodeError } from './refusal.ts';

/** Devices and invocations that one search may look at. Upstream gives up after ten seconds instead; this many take some seconds. */
export const EFFORT_MAX = 5_000_000;

/** Upstream's text when its time is over. */
const EFFORT_TEXT = 'timed out trying to allocate devices';

/** The budget of one search. */
export class Effort {
  #left: number;
  #steps = 0;

  constructor(max = EFFORT_MAX) {
    this.#left = max;
  }

  /** Invocations of the search so far, counted as upstream counts them; branches left out are not among them. */
  get steps(): number {
    return this.#steps;
  }

  /** One invocation. Throws NodeError when nothing is left. */
  step(): void {
    this.#steps++;
    this.spend();
  }

  /** One device looked at. Throws NodeError when nothing is left. */
  spend(): void {
    if (--this.#left < 0) throw new NodeError('searchLimit', EFFORT_TEXT);
  }
}
