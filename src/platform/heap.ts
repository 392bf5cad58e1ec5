/** How the heap of this process grows. */
import { setFlagsFromString } from 'node:v8';

/** How much it may grow, in percent of what is alive, before it is looked through again: V8's own choice goes up to four times as much. */
const GROWING_PERCENT = 100;

/**
 * Lets the heap grow less, from now on. To be called by whoever serves for long, once what it needs is loaded: code that was compiled
 * ahead, Node's own included, is not used under another setting than it was compiled with, and a start would take half as long again.
 */
export function growHeapSparingly(): void {
  setFlagsFromString(`--heap-growing-percent=${String(GROWING_PERCENT)}`);
}
