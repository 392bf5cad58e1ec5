/** Carries a decision about claims out: finalizer, allocation and reservation in the API, and the way back. */
import type { Clock, Logger } from '#base';
import { asError } from '#base';
import type { AllocationResult, Pod, ResourceClaim } from '#api';
import { RESOURCE_CLAIMS, type RestClient } from '#client';
import { isConflict, isNotFound, keyOf, nameOf, namespaceOf } from '#machinery';
import type { ClaimCache } from './claim-cache.ts';
import type { ClaimPlan } from './decide.ts';
import { isReservedFor } from './pod-claims.ts';

/** Keeps a claim with an allocation from vanishing before its devices are free (resource/v1 types.go: Finalizer). */
export const CLAIM_FINALIZER = 'resource.kubernetes.io/delete-protection';

/** Tries of one write in the face of conflicts (client-go retry.DefaultRetry). */
const CONFLICT_TRIES = 5;

/** Writes what the scheduler decided about claims; keeps the claim cache informed of each write. */
export class ClaimBinder {
  readonly #client: RestClient;
  readonly #cache: ClaimCache;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(parts: { readonly client: RestClient; readonly cache: ClaimCache; readonly clock: Clock; readonly logger: Logger }) {
    this.#client = parts.client;
    this.#cache = parts.cache;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  /** Takes the devices of a plan out of circulation, before anything is written. Synchronous. */
  assume(plans: readonly ClaimPlan[]): void {
    for (const { claim, allocation } of plans) {
      if (allocation !== undefined) this.#cache.startAllocation(allocated(claim, allocation));
    }
  }

  /** Allocates the claim if planned and reserves it for the pod. Rejects with upstream's text when the claim has changed too much. */
  async bind(pod: Pod, plan: ClaimPlan): Promise<ResourceClaim> {
    const key = keyOf(plan.claim);
    try {
      let claim = this.#cache.get(key) ?? plan.claim;
      for (let attempt = 1; ; attempt++) {
        try {
          claim = await this.#write(pod, claim, plan.allocation);
          this.#cache.assume(claim);
          return claim;
        } catch (error) {
          if (!isConflict(error) || attempt === CONFLICT_TRIES) throw error;
          claim = await this.#client.get(RESOURCE_CLAIMS, nameOf(plan.claim), namespaceOf(plan.claim));
        }
      }
    } finally {
      this.#cache.endAllocation(key);
    }
  }

  /** Takes everything back: decided allocations are forgotten, reservations for the pod removed. Failures are logged. */
  async unreserve(pod: Pod, plans: readonly ClaimPlan[]): Promise<void> {
    for (const { claim } of plans) {
      this.#cache.endAllocation(keyOf(claim));
      const known = this.#cache.get(keyOf(claim));
      if (known === undefined || !isReservedFor(known, pod) || known.status?.allocation === undefined) continue;
      await this.#removeReservation(pod, known);
    }
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
    if (isReservedFor(claim, pod)) return claim;
    const protectedClaim = await this.#withFinalizer(claim);
    this.#cache.assume(protectedClaim);
    const written = await during(allocation === undefined ? `add reservation to claim ${name}` : `add allocation and reservation to claim ${name}`, () =>
      this.#client.updateStatus(RESOURCE_CLAIMS, this.#reserved(protectedClaim, pod, allocation)),
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
  #reserved(claim: ResourceClaim, pod: Pod, allocation: AllocationResult | undefined): ResourceClaim {
    const consumer = { resource: 'pods', name: nameOf(pod), uid: pod.metadata.uid ?? '' };
    const timestamp = `${new Date(this.#clock.nowMs()).toISOString().slice(0, 19)}Z`;
    const added = allocation === undefined ? {} : { allocation: { ...allocation, allocationTimestamp: timestamp } };
    return { ...claim, status: { ...claim.status, ...added, reservedFor: [...(claim.status?.reservedFor ?? []), consumer] } };
  }

  async #removeReservation(pod: Pod, claim: ResourceClaim): Promise<void> {
    const body = { metadata: { uid: claim.metadata.uid }, status: { reservedFor: [{ $patch: 'delete', uid: pod.metadata.uid }] } };
    try {
      const patched = await this.#client.patch(RESOURCE_CLAIMS, nameOf(claim), {
        namespace: namespaceOf(claim),
        type: 'strategic',
        subresource: 'status',
        body,
      });
      this.#cache.assume(patched);
    } catch (error) {
      if (!isNotFound(error)) this.#logger.warn('a reservation could not be taken back', { claim: keyOf(claim), error: asError(error).message });
    }
  }
}

function allocated(claim: ResourceClaim, allocation: AllocationResult): ResourceClaim {
  return { ...claim, status: { ...claim.status, allocation } };
}

/** Runs a write and says on failure what it was for; a conflict stays recognizable. */
async function during<T>(what: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isConflict(error)) throw error;
    throw new Error(`${what}: ${asError(error).message}`, { cause: error });
  }
}
