/** What a controller has done to pods that its informer does not show yet: until then it must not count them again. */
import type { Clock } from '#base';
import type { Pod } from '#api';
import { nameOf } from '#machinery';

/** Expected changes that never arrive are forgotten after so long (controller.ExpectationsTimeout). */
const TIMEOUT_MS = 5 * 60_000;

interface Expected {
  /** Creations whose answer, and with it the name of the pod, is not there yet; the informer may be faster. */
  asked: number;
  /** Names of pods that arrived while any creation had no answer yet. */
  readonly early: Set<string>;
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

  /** A pod is going to be created for the owner; `created` or `notCreated` follows. */
  creating(owner: string): void {
    this.#of(owner).asked++;
  }

  /** The owner has got a pod of this name. */
  created(owner: string, pod: string): void {
    const expected = this.#of(owner);
    if (!expected.early.has(pod)) expected.created.add(pod);
    this.#answered(expected);
  }

  /** The owner has not got a pod. */
  notCreated(owner: string): void {
    this.#answered(this.#of(owner));
  }

  #answered(expected: Expected): void {
    expected.asked--;
    if (expected.asked === 0) expected.early.clear();
  }

  /** A pod of the owner is going to be deleted; if that fails, `gone` takes it back. */
  deleted(owner: string, pod: Pod): void {
    this.#of(owner).deleted.add(pod.metadata.uid ?? '');
  }

  /** The informer shows the pod. */
  arrived(owner: string, pod: Pod): void {
    const expected = this.#expected.get(owner);
    expected?.created.delete(nameOf(pod));
    if (expected !== undefined && expected.asked > 0) expected.early.add(nameOf(pod));
    if (pod.metadata.deletionTimestamp !== undefined) this.gone(owner, pod);
  }

  /** The pod is gone or going, or was not deleted after all. */
  gone(owner: string, pod: Pod): void {
    this.#expected.get(owner)?.deleted.delete(pod.metadata.uid ?? '');
  }

  #of(owner: string): Expected {
    const expected = this.#expected.get(owner) ?? {
      asked: 0,
      early: new Set<string>(),
      created: new Set<string>(),
      deleted: new Set<string>(),
      sinceMs: this.#clock.monotonicMs(),
    };
    this.#expected.set(owner, expected);
    return expected;
  }
}
