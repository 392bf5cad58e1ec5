/** Which pods take room on which node, counting pods whose binding is still being written. */
import type { Pod } from '#api';
import { keyOf } from '#machinery';

/** Pods by node. A pod that has finished takes no room. */
export class NodeCache {
  readonly #byNode = new Map<string, Map<string, Pod>>();
  readonly #nodeOf = new Map<string, string>();
  readonly #assumed = new Set<string>();

  /** The pods on a node. */
  podsOn(nodeName: string): readonly Pod[] {
    return [...(this.#byNode.get(nodeName)?.values() ?? [])];
  }

  /** The informer's state of a pod. An assumed pod stays where it was assumed until the API shows it there or `forget`. */
  informed(pod: Pod): void {
    const key = keyOf(pod);
    const nodeName = pod.spec?.nodeName ?? '';
    if (nodeName === '' && this.#assumed.has(key)) return;
    this.remove(key);
    if (nodeName !== '' && !isFinished(pod)) this.#place(pod, nodeName);
  }

  /** The pod is gone. */
  remove(key: string): void {
    const nodeName = this.#nodeOf.get(key);
    if (nodeName !== undefined) this.#byNode.get(nodeName)?.delete(key);
    this.#nodeOf.delete(key);
    this.#assumed.delete(key);
  }

  /** The pod shall go to this node; it takes room there from now on. */
  assume(pod: Pod, nodeName: string): void {
    this.remove(keyOf(pod));
    this.#place(pod, nodeName);
    this.#assumed.add(keyOf(pod));
  }

  /** The assumed pod will not go there after all. */
  forget(key: string): void {
    if (this.#assumed.has(key)) this.remove(key);
  }

  #place(pod: Pod, nodeName: string): void {
    const pods = this.#byNode.get(nodeName) ?? new Map<string, Pod>();
    pods.set(keyOf(pod), pod);
    this.#byNode.set(nodeName, pods);
    this.#nodeOf.set(keyOf(pod), nodeName);
  }
}

/** Whether the pod's containers have ended for good. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
