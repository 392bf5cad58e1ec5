/** What a controller has done to pods that its informer does not show yet: until then it must not count them again. */
import type { Clock } from '#base';
import type { Pod } from '#api';
import { nameOf } from '#machinery';

/** Expected changes that never arrive are forgotten after so long (controller.ExpectationsTimeout). */
const TIMEOUT_MS = 5 * 60_000;

interface Expected {
  readonly created: Set<string>;
  readonly deleted: Set<string>;
  readonly sinceMs: number;
}

/** Own creations and deletions by the key of the owner. */
export class Expectations {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether something done for the owner has not arrived yet. */
  isWaiting(owner: string): boolean {
    const expected = this.#expected.get(owner);
    if (expected === undefined) return false;
    const isOver = expected.created.size + expected.deleted.size === 0 || this.#clock.monotonicMs() - expected.sinceMs > TIMEOUT_MS;
    if (isOver) this.#expected.delete(owner);
    return !isOver;
  }

  /** The owner has got a pod of this name. */
  created(owner: string, pod: string): void {
    this.#of(owner).created.add(pod);
  }

  /** A pod of the owner was deleted. */
  deleted(owner: string, pod: Pod): void {
    this.#of(owner).deleted.add(pod.metadata.uid ?? '');
  }

  /** The informer shows the pod. */
  arrived(owner: string, pod: Pod): void {
    this.#expected.get(owner)?.created.delete(nameOf(pod));
    if (pod.metadata.deletionTimestamp !== undefined) this.gone(owner, pod);
  }

  /** The informer shows that the pod is gone or going. */
  gone(owner: string, pod: Pod): void {
    this.#expected.get(owner)?.deleted.delete(pod.metadata.uid ?? '');
  }

  #of(owner: string): Expected {
    const expected = this.#expected.get(owner) ?? { created: new Set(), deleted: new Set(), sinceMs: this.#clock.monotonicMs() };
    this.#expected.set(owner, expected);
    return expected;
  }
}
