/** Which pods take room on which node, counting pods whose binding is still being written. */
import type { Pod } from '#api';
import { keyOf } from '#machinery';

/** Pods by node. A pod that has finished takes no room. */
export class NodeCache {
  readonly #byNode = new Map<string, Map<string, Pod>>();
  readonly #lists = new Map<string, readonly Pod[]>();
  readonly #nodeOf = new Map<string, string>();
  readonly #assumed = new Set<string>();
  /** Pods that a node is kept free for, by uid; the node is the one last decided or, failing that, recorded in their status. */
  readonly #nominated = new Map<string, { readonly pod: Pod; readonly nodeName: string }>();

  /** The pods on a node: the same list until they change, so that what is computed from it can be remembered. */
  podsOn(nodeName: string): readonly Pod[] {
    const known = this.#lists.get(nodeName);
    if (known !== undefined) return known;
    const pods = [...(this.#byNode.get(nodeName)?.values() ?? [])];
    this.#lists.set(nodeName, pods);
    return pods;
  }

  /** The pods that a node is kept free for although they are not on it. */
  nominatedTo(nodeName: string): readonly Pod[] {
    const found: Pod[] = [];
    for (const nomination of this.#nominated.values()) if (nomination.nodeName === nodeName) found.push(nomination.pod);
    return found;
  }

  /** Others went so that the pod can go to this node. */
  nominate(pod: Pod, nodeName: string): void {
    this.#nominated.set(pod.metadata.uid ?? '', { pod, nodeName });
  }

  /** The pod needs no room kept any more. */
  denominate(pod: Pod): void {
    this.#nominated.delete(pod.metadata.uid ?? '');
  }

  /** The informer's state of a pod. An assumed pod stays where it was assumed until the API shows it there or `forget`. */
  informed(pod: Pod): void {
    const key = keyOf(pod);
    const nodeName = pod.spec?.nodeName ?? '';
    if (nodeName === '' && this.#assumed.has(key)) return;
    this.remove(key);
    const nominated = pod.status?.nominatedNodeName ?? '';
    if (nodeName !== '' || isFinished(pod)) this.denominate(pod);
    else if (nominated !== '') this.nominate(pod, nominated);
    if (nodeName !== '' && !isFinished(pod)) this.#place(pod, nodeName);
  }

  /** The pod is gone. */
  remove(key: string): void {
    const nodeName = this.#nodeOf.get(key);
    if (nodeName !== undefined) {
      const pods = this.#byNode.get(nodeName);
      pods?.delete(key);
      if (pods?.size === 0) this.#byNode.delete(nodeName);
      this.#lists.delete(nodeName);
    }
    this.#nodeOf.delete(key);
    this.#assumed.delete(key);
  }

  /** The pod shall go to this node; it takes room there from now on. */
  assume(pod: Pod, nodeName: string): void {
    this.remove(keyOf(pod));
    this.denominate(pod);
    this.#place(pod, nodeName);
    this.#assumed.add(keyOf(pod));
  }

  /** The assumed pod will not go there after all; another of its name may. */
  forget(pod: Pod): void {
    const key = keyOf(pod);
    const assumed = this.#byNode.get(this.#nodeOf.get(key) ?? '')?.get(key);
    if (this.#assumed.has(key) && assumed?.metadata.uid === pod.metadata.uid) this.remove(key);
  }

  #place(pod: Pod, nodeName: string): void {
    const pods = this.#byNode.get(nodeName) ?? new Map<string, Pod>();
    pods.set(keyOf(pod), pod);
    this.#byNode.set(nodeName, pods);
    this.#lists.delete(nodeName);
    this.#nodeOf.set(keyOf(pod), nodeName);
  }
}

/** Whether the pod's containers have ended for good. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
