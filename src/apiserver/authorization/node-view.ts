/** Which pods are bound to which node, and what those pods refer to (upstream: authorizer/node graph). */
import { MIRROR_ANNOTATION, type Pod } from '#api';
import type { ApiObject } from '#machinery';
import type { Catalog } from '../catalog.ts';
import type { ObjectStore, StoredObject } from '../registry/object-store.ts';
import { configMapsOf, resourceClaimsOf, secretsOf, volumeClaimsOf } from './pod-references.ts';

/** What a pod of a node may refer to. */
export type ReferenceKind = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts' | 'resourceclaims' | 'pods';

/** A bound pod; the claim of its extended resources is that which was known when the pod was last taken up. */
interface BoundPod {
  readonly pod: Pod;
  readonly extendedClaim: string | undefined;
}

/** Keeps the bound pods as their events come. */
export class NodeView {
  readonly #nodes = new Map<string, Map<string, BoundPod>>();
  #stop: () => void = () => undefined;

  /** Reads what is there and follows what changes. */
  async start(catalog: Catalog, objects: ObjectStore): Promise<void> {
    const scope = catalog.find('', 'v1', 'pods');
    if (scope !== undefined) this.#stop = await objects.follow(scope.storagePrefix, (old, now) => this.#change(podOf(old), podOf(now)));
  }

  /** Ends the view. */
  stop(): void {
    this.#stop();
  }

  #change(old: Pod | undefined, pod: Pod | undefined): void {
    const before = old === undefined ? undefined : this.#nodes.get(nodeOf(old))?.get(keyOf(old));
    if (old !== undefined && (pod === undefined || nodeOf(old) !== nodeOf(pod))) this.#forget(old);
    if (pod === undefined || nodeOf(pod) === '') return;
    const pods = this.#nodes.get(nodeOf(pod)) ?? new Map<string, BoundPod>();
    this.#nodes.set(nodeOf(pod), pods);
    // As upstream: that claim counts for a bound pod only if it was there when the pod was bound, or came with another claim.
    const again = before === undefined || !sameClaims(before.pod, pod);
    pods.set(keyOf(pod), { pod, extendedClaim: again ? pod.status?.extendedResourceClaimStatus?.resourceClaimName : before.extendedClaim });
  }

  #forget(pod: Pod): void {
    const pods = this.#nodes.get(nodeOf(pod));
    pods?.delete(keyOf(pod));
    if (pods?.size === 0) this.#nodes.delete(nodeOf(pod));
  }

  /** Whether a pod on the node refers to the object, or is it. */
  refersTo(nodeName: string, kind: ReferenceKind, namespace: string, name: string): boolean {
    const pods = this.#nodes.get(nodeName);
    if (pods === undefined) return false;
    if (kind === 'pods') return pods.has(`${namespace}/${name}`);
    return [...pods.values()].some((bound) => bound.pod.metadata.namespace === namespace && !isMirror(bound.pod) && REFERENCES[kind](bound).includes(name));
  }
}

function podOf(stored: StoredObject | undefined): Pod | undefined {
  // Stored under the scope of pods.
  return stored?.object as (ApiObject & Pod) | undefined;
}

function keyOf({ metadata }: Pod): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

/** A node must not give itself rights by the pods that it makes. */
function isMirror({ metadata }: Pod): boolean {
  return metadata.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

function nodeOf({ spec }: Pod): string {
  return spec?.nodeName ?? '';
}

function sameClaims(a: Pod, b: Pod): boolean {
  return a.metadata.uid === b.metadata.uid && JSON.stringify(a.status?.resourceClaimStatuses ?? []) === JSON.stringify(b.status?.resourceClaimStatuses ?? []);
}

const REFERENCES: Readonly<Record<Exclude<ReferenceKind, 'pods'>, (bound: BoundPod) => readonly (string | undefined)[]>> = {
  secrets: ({ pod }) => secretsOf(pod),
  configmaps: ({ pod }) => configMapsOf(pod),
  persistentvolumeclaims: ({ pod }) => volumeClaimsOf(pod),
  serviceaccounts: ({ pod }) => [pod.spec?.serviceAccountName],
  resourceclaims: ({ pod, extendedClaim }) => [...resourceClaimsOf(pod), extendedClaim],
};
