/** Carries a decision about claims out: finalizer, allocation and reservation in the API, and the way back. */
import type { Clock, Logger } from '#base';
import { asError } from '#base';
import type { AllocationResult, ContainerExtendedResourceRequest, Pod, PodGroup, ResourceClaim } from '#api';
import { PODS, RESOURCE_CLAIMS, type RestClient } from '#client';
import { isConflict, isNotFound, keyOf, nameOf, namespaceOf } from '#machinery';
import type { ClaimCache } from './claim-cache.ts';
import type { SchedulerMetrics } from './metrics.ts';
import { failedWrite, NoAnswer, whenAnswered } from './no-answer.ts';
import { type Consumer, consumerOf, isReservedFor } from './pod-claims.ts';
import type { ClaimPlan } from './try-node.ts';

/** Keeps a claim with an allocation from vanishing before its devices are free (resource/v1 types.go: Finalizer). */
export const CLAIM_FINALIZER = 'resource.kubernetes.io/delete-protection';

/** Tries of one write in the face of conflicts (client-go retry.DefaultRetry). */
const CONFLICT_TRIES = 5;

/** How long a claim just created may take to arrive in the informer (upstream: ExtendedResourceClaim wait of 120 s, then it goes on). */
const CREATED_CLAIM_WAIT_MS = 120_000;

/** What a binder works with. */
export interface ClaimBinderParts {
  readonly client: RestClient;
  readonly cache: ClaimCache;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SchedulerMetrics;
  /** The claim for extended resources of a pod, as far as the informer has it. */
  readonly extendedClaimOf: (pod: Pod) => ResourceClaim | undefined;
  /** The group of a pod, as far as groups have claims. */
  readonly groupOf: (pod: Pod) => PodGroup | undefined;
  /** Ends waiting. */
  readonly signal: AbortSignal;
}

/** Writes what the scheduler decided about claims; keeps the claim cache informed of each write. */
export class ClaimBinder {
  readonly #parts: ClaimBinderParts;
  readonly #client: RestClient;
  readonly #cache: ClaimCache;

  constructor(parts: ClaimBinderParts) {
    this.#parts = parts;
    this.#client = parts.client;
    this.#cache = parts.cache;
  }

  /** Takes the devices of a plan out of circulation, before anything is written. Synchronous. */
  assume(plans: readonly ClaimPlan[]): void {
    for (const { claim, allocation } of plans) {
      if (allocation !== undefined) this.#cache.startAllocation(allocated(claim, allocation));
    }
  }

  /** Allocates the claim if planned and reserves it for the pod. Rejects with upstream's text when the claim has changed too much. */
  async bind(pod: Pod, plan: ClaimPlan): Promise<ResourceClaim> {
    const { requestMappings } = plan;
    try {
      const target = requestMappings === undefined ? this.#current(plan.claim) : await this.#create(plan.claim);
      const claim = await this.#allocateAndReserve(pod, target, plan.allocation);
      if (requestMappings !== undefined) await this.#recordMappings(pod, claim, requestMappings);
      return claim;
    } finally {
      this.#end(plan);
    }
  }

  #end({ claim, allocation }: ClaimPlan): void {
    if (allocation !== undefined) this.#cache.endAllocation(keyOf(claim), allocation);
  }

  /** What is known of the claim now; not another one of its name. */
  #current(claim: ResourceClaim): ResourceClaim {
    const known = this.#cache.get(keyOf(claim));
    return known !== undefined && known.metadata.uid === claim.metadata.uid ? known : claim;
  }

  async #allocateAndReserve(pod: Pod, known: ResourceClaim, allocation: AllocationResult | undefined): Promise<ResourceClaim> {
    let claim = known;
    for (let attempt = 1; ; attempt++) {
      try {
        claim = await this.#write(pod, claim, allocation);
        this.#cache.assume(claim);
        return claim;
      } catch (error) {
        if (error instanceof NoAnswer) return this.#outcome(pod, known, error);
        if (!isConflict(error) || attempt === CONFLICT_TRIES) throw error;
        claim = await this.#client.get(RESOURCE_CLAIMS, nameOf(known), namespaceOf(known));
        if (claim.metadata.uid !== known.metadata.uid) throw new Error(`claim ${keyOf(known)} got deleted in the meantime`, { cause: error });
      }
    }
  }

  /** The devices stay taken until the server says what became of the write: given to another claim at once, they might have two holders. */
  async #outcome(pod: Pod, known: ResourceClaim, failure: NoAnswer): Promise<ResourceClaim> {
    const { clock, signal, groupOf } = this.#parts;
    const claim = await whenAnswered(() => this.#client.get(RESOURCE_CLAIMS, nameOf(known), namespaceOf(known)), clock, signal);
    if (claim === undefined || claim.metadata.uid !== known.metadata.uid) throw failure;
    this.#cache.assume(claim);
    if (claim.status?.allocation === undefined || !isReservedFor(claim, consumerOf(pod, claim, groupOf(pod)).uid)) throw failure;
    return claim;
  }

  /** Creates the claim for extended resources; its devices stay accounted for under the plan's name until the informer has it. */
  async #create(planned: ResourceClaim): Promise<ResourceClaim> {
    const { name: _name, uid: _uid, ...metadata } = planned.metadata;
    const { signal, metrics } = this.#parts;
    try {
      const claim = await during('create claim for extended resources', () => this.#client.create(RESOURCE_CLAIMS, { ...planned, metadata }));
      metrics.claimCreated('success');
      if (this.#cache.get(keyOf(claim)) === undefined) await this.#cache.changed([keyOf(claim)], CREATED_CLAIM_WAIT_MS, signal);
      return claim;
    } catch (error) {
      metrics.claimCreated('failure');
      throw error;
    }
  }

  /** Tells the node which request of the claim serves which container. */
  async #recordMappings(pod: Pod, claim: ResourceClaim, mappings: readonly ContainerExtendedResourceRequest[]): Promise<void> {
    const requestMappings = mappings.map((mapping) => ({ ...mapping }));
    const status = { extendedResourceClaimStatus: { resourceClaimName: nameOf(claim), requestMappings } };
    const body = { metadata: { uid: pod.metadata.uid ?? null }, status };
    await during('patch pod status', () =>
      this.#client.patch(PODS, nameOf(pod), { namespace: namespaceOf(pod), type: 'strategic', subresource: 'status', body }),
    );
  }

  /** Takes everything back: decided allocations are forgotten, reservations for the pod removed, its claim for extended resources deleted. Failures are logged. */
  async unreserve(pod: Pod, plans: readonly ClaimPlan[]): Promise<void> {
    for (const plan of plans) {
      this.#end(plan);
      const { claim, requestMappings } = plan;
      const known = requestMappings === undefined ? this.#cache.get(keyOf(claim)) : this.#parts.extendedClaimOf(pod);
      if (known === undefined) continue;
      if (requestMappings !== undefined) await this.#quietly(known, () => this.remove(known));
      else if (isReservedFor(known, pod.metadata.uid ?? '') && known.status?.allocation !== undefined)
        await this.#quietly(known, () => this.#removeReservation(pod, known));
    }
  }

  /** Deletes a claim that the scheduler made: nothing uses its devices. */
  async remove(claim: ResourceClaim): Promise<void> {
    const current = this.#current(claim);
    const finalizers = (current.metadata.finalizers ?? []).filter((finalizer) => finalizer !== CLAIM_FINALIZER);
    const { uid } = current.metadata;
    if (finalizers.length < (current.metadata.finalizers ?? []).length) {
      await this.#client.update(RESOURCE_CLAIMS, { ...current, metadata: { ...current.metadata, finalizers } });
    }
    await this.#client.delete(RESOURCE_CLAIMS, nameOf(current), { namespace: namespaceOf(current), uid });
  }

  /** Gives an allocation back that nobody else uses, so that the claim can be allocated where the pod fits. */
  async deallocate(claim: ResourceClaim): Promise<void> {
    const { allocation: _allocation, reservedFor: _reservedFor, devices: _devices, ...status } = claim.status ?? {};
    this.#cache.assume(await this.#client.updateStatus(RESOURCE_CLAIMS, { ...claim, status }));
  }

  async #write(pod: Pod, claim: ResourceClaim, allocation: AllocationResult | undefined): Promise<ResourceClaim> {
    const name = keyOf(claim);
    if (claim.metadata.deletionTimestamp !== undefined) throw new Error(`claim ${name} got deleted in the meantime`);
    if (allocation !== undefined && claim.status?.allocation !== undefined) throw new Error(`claim ${name} got allocated elsewhere in the meantime`);
    if (allocation === undefined && claim.status?.allocation === undefined) throw new Error(`claim ${name} got deallocated elsewhere in the meantime`);
    const consumer = consumerOf(pod, claim, this.#parts.groupOf(pod));
    if (isReservedFor(claim, consumer.uid)) return claim;
    const protectedClaim = await this.#withFinalizer(claim);
    this.#cache.assume(protectedClaim);
    const written = await during(allocation === undefined ? `add reservation to claim ${name}` : `add allocation and reservation to claim ${name}`, () =>
      this.#client.updateStatus(RESOURCE_CLAIMS, this.#reserved(protectedClaim, consumer, allocation)),
    );
    return written;
  }

  async #withFinalizer(claim: ResourceClaim): Promise<ResourceClaim> {
    const finalizers = claim.metadata.finalizers ?? [];
    if (finalizers.includes(CLAIM_FINALIZER)) return claim;
    const metadata = { ...claim.metadata, finalizers: [...finalizers, CLAIM_FINALIZER] };
    return during(`add finalizer to claim ${keyOf(claim)}`, () => this.#client.update(RESOURCE_CLAIMS, { ...claim, metadata }));
  }

  /** An allocation made by somebody else is left as it is, also without a timestamp: the API refuses to change it. */
  #reserved(claim: ResourceClaim, consumer: Consumer, allocation: AllocationResult | undefined): ResourceClaim {
    const timestamp = `${new Date(this.#parts.clock.nowMs()).toISOString().slice(0, 19)}Z`;
    const added = allocation === undefined ? {} : { allocation: { ...allocation, allocationTimestamp: timestamp } };
    return { ...claim, status: { ...claim.status, ...added, reservedFor: [...(claim.status?.reservedFor ?? []), consumer] } };
  }

  async #removeReservation(pod: Pod, claim: ResourceClaim): Promise<void> {
    const body = { metadata: { uid: claim.metadata.uid ?? null }, status: { reservedFor: [{ $patch: 'delete', uid: pod.metadata.uid ?? null }] } };
    const patched = await this.#client.patch(RESOURCE_CLAIMS, nameOf(claim), {
      namespace: namespaceOf(claim),
      type: 'strategic',
      subresource: 'status',
      body,
    });
    this.#cache.assume(patched);
  }

  async #quietly(claim: ResourceClaim, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!isNotFound(error)) this.#parts.logger.warn('a claim could not be given back', { claim: keyOf(claim), error: asError(error).message });
    }
  }
}

function allocated(claim: ResourceClaim, allocation: AllocationResult): ResourceClaim {
  return { ...claim, status: { ...claim.status, allocation } };
}

/** Runs a write and says on failure what it was for; a conflict and the lack of an answer stay recognizable. */
async function during<T>(what: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isConflict(error)) throw error;
    throw failedWrite(what, asError(error));
  }
}
