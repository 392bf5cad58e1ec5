/** Which pods are to be evicted when, and for which rules: read from the informers each time. */
import type { DeviceTaintRule, Pod, ResourceClaim } from '#api';
import type { Lister } from '#client';
import { nameOf, namespaceOf } from '#machinery';
import { claimKeysOf, controllerUid, isReservedFor } from '../resourceclaim/pod-state.ts';
import { byName, evictionReasons, selects, type EvictionReason } from './eviction-time.ts';
import type { PublishedDevices } from './published-devices.ts';
import type { RuleFacts } from './rule-condition.ts';

/** Where the state is read. */
export interface PendingEvictionsParts {
  readonly pods: Lister<Pod>;
  readonly claims: Lister<ResourceClaim>;
  readonly rules: Lister<DeviceTaintRule> | undefined;
  readonly devices: PublishedDevices;
}

/** Answers from what the informers hold. */
export class PendingEvictions {
  readonly #parts: PendingEvictionsParts;

  constructor(parts: PendingEvictionsParts) {
    this.#parts = parts;
  }

  /** The pod of a key (namespace/name), if known. */
  pod(key: string): Pod | undefined {
    return this.#parts.pods.get(key);
  }

  /** Why the pod has to go; nothing if it need not, has no node yet or is going already. */
  reasonsFor(pod: Pod): readonly EvictionReason[] {
    if ((pod.spec?.nodeName ?? '') === '' || pod.metadata.deletionTimestamp !== undefined) return [];
    const rules = [...(this.#parts.rules?.list() ?? [])].sort(byName);
    return this.#claimsOf(pod).flatMap((claim) => evictionReasons(claim, (result) => this.#parts.devices.taintsOf(result), rules));
  }

  /** What the rule concerns now; pods as if it forced them off. */
  factsOf(rule: DeviceTaintRule, evicted: number): RuleFacts {
    const forced: DeviceTaintRule = { ...rule, spec: { ...rule.spec, taint: { ...rule.spec.taint, effect: 'NoExecute' } } };
    const allocated = new Set<string>();
    const pods = new Map<string, Pod>();
    for (const claim of this.#parts.claims.list()) {
      const selected = (claim.status?.allocation?.devices?.results ?? []).filter((result) => selects(rule, result));
      for (const { driver, pool, device } of selected) allocated.add(`${driver}/${pool}/${device}`);
      if (selected.length === 0 || evictionReasons(claim, () => [], [forced]).length === 0) continue;
      for (const pod of this.#podsOf(claim)) pods.set(pod.metadata.uid ?? '', pod);
    }
    return {
      publishedDevices: this.#parts.devices.count((device) => selects(rule, device)),
      allocatedDevices: allocated.size,
      pods: pods.size,
      namespaces: new Set([...pods.values()].map(namespaceOf)).size,
      evicted,
    };
  }

  /** The pods that run with the claim and are not going already. */
  #podsOf(claim: ResourceClaim): readonly Pod[] {
    return (claim.status?.reservedFor ?? []).flatMap((consumer) => {
      const pod = this.#parts.pods.get(`${namespaceOf(claim)}/${consumer.name}`);
      const counts = pod?.metadata.uid === consumer.uid && pod.metadata.deletionTimestamp === undefined && (pod.spec?.nodeName ?? '') !== '';
      return counts ? [pod] : [];
    });
  }

  /** The allocated claims that are the pod's to use. */
  #claimsOf(pod: Pod): readonly ResourceClaim[] {
    const named = new Set((pod.spec?.resourceClaims ?? []).map((entry) => entry.resourceClaimName));
    return claimKeysOf(pod).flatMap((key) => {
      const claim = this.#parts.claims.get(key);
      if (claim?.status?.allocation === undefined || !isReservedFor(claim, pod)) return [];
      return named.has(nameOf(claim)) || controllerUid(claim) === pod.metadata.uid ? [claim] : [];
    });
  }
}
