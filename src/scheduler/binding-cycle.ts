/** Carries a placement out: claims are allocated and reserved, devices awaited, the pod bound; or everything is taken back. */
import { asError, type Clock } from '#base';
import type { Pod, ResourceClaim } from '#api';
import { type Lister, PODS, type RestClient } from '#client';
import { keyOf, nameOf } from '#machinery';
import { bindingState, hasBindingConditions } from './binding-conditions.ts';
import type { ClaimBinder } from './claim-binder.ts';
import type { ClaimCache } from './claim-cache.ts';
import type { BindingConditionsStatus, SchedulerMetrics } from './metrics.ts';
import { failedWrite, NoAnswer, whenAnswered } from './no-answer.ts';
import type { PodReporter } from './pod-reporter.ts';
import type { ClaimPlan } from './try-node.ts';

/** How often devices with binding conditions are looked at, if nothing changes. */
const BINDING_POLL_MS = 5_000;

/** What a binding cycle works with. */
export interface BindingCycleParts {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly binder: ClaimBinder;
  readonly cache: ClaimCache;
  readonly pods: Lister<Pod>;
  readonly reporter: PodReporter;
  readonly metrics: SchedulerMetrics;
  readonly bindingTimeoutMs: number;
}

/** Where a pod goes, with its claims. */
export interface Placement {
  readonly nodeName: string;
  readonly claims: readonly ClaimPlan[];
}

interface DeviceWait {
  readonly claims: readonly ResourceClaim[];
  readonly signal: AbortSignal;
}

/** Writes of one placement after another; many pods may be in it at a time. */
export class BindingCycle {
  readonly #parts: BindingCycleParts;

  constructor(parts: BindingCycleParts) {
    this.#parts = parts;
  }

  /** Binds the pod. When that fails the claims are given back before this rejects, with upstream's text. */
  async run(pod: Pod, placement: Placement, signal: AbortSignal): Promise<void> {
    const { binder, reporter } = this.#parts;
    try {
      await this.#preBind(pod, placement, signal);
      await this.#bind(pod, placement.nodeName, signal);
    } catch (error) {
      await binder.unreserve(pod, placement.claims);
      throw error;
    }
    const message = `Successfully assigned ${keyOf(pod)} to ${placement.nodeName}`;
    reporter.event(pod, { type: 'Normal', reason: 'Scheduled', message, action: 'Binding' });
  }

  async #preBind(pod: Pod, placement: Placement, signal: AbortSignal): Promise<void> {
    try {
      const claims = await settleAll(placement.claims.map((plan) => this.#parts.binder.bind(pod, plan)));
      if (claims.some(hasBindingConditions)) await this.#awaitDevices(pod, placement.nodeName, { claims, signal });
    } catch (error) {
      throw new Error(`running PreBind plugin "DynamicResources": ${asError(error).message}`, { cause: error });
    }
  }

  /** Waits until all devices with binding conditions are ready; rejects on failure and timeout. */
  async #awaitDevices(pod: Pod, nodeName: string, wait: DeviceWait): Promise<void> {
    const { reporter, clock, metrics } = this.#parts;
    const message = `waiting for binding conditions for device on node ${nodeName}`;
    reporter.event(pod, { type: 'Normal', reason: 'BindingConditionsPending', message, action: 'Scheduling' });
    const startedMs = clock.monotonicMs();
    const report = (status: BindingConditionsStatus): void => metrics.deviceBinding(wait.claims, status, (clock.monotonicMs() - startedMs) / 1000);
    await reporter.nominate(pod, nodeName);
    try {
      await this.#devicesReady(pod, wait);
      report('success');
    } catch (error) {
      report(error instanceof BindingFailure ? error.status : 'error');
      throw error;
    } finally {
      await reporter.nominate(pod, null);
    }
  }

  async #devicesReady(pod: Pod, { claims, signal }: DeviceWait): Promise<void> {
    const { clock, cache, pods, bindingTimeoutMs } = this.#parts;
    const keys = claims.map(keyOf);
    const deadlineMs = clock.monotonicMs() + bindingTimeoutMs;
    while (this.#isWaiting(claims)) {
      signal.throwIfAborted();
      // A deleted pod waits for nothing; its claims are given back by the caller.
      if (pods.get(keyOf(pod))?.metadata.uid !== pod.metadata.uid) throw new Error('the pod was deleted in the meantime');
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0) throw new BindingFailure('timeout', 'device binding timeout: context deadline exceeded');
      await cache.changed(keys, Math.min(BINDING_POLL_MS, leftMs), signal);
    }
  }

  /** Whether some device is not ready yet. Throws when one never will be. */
  #isWaiting(claims: readonly ResourceClaim[]): boolean {
    const { clock, cache, bindingTimeoutMs } = this.#parts;
    let waiting = false;
    for (const claim of claims) {
      const key = keyOf(claim);
      const current = cache.get(key);
      if (current?.metadata.uid !== claim.metadata.uid || current?.status?.allocation === undefined)
        throw new Error(`claim ${key} got deallocated elsewhere in the meantime`);
      const state = bindingState(current, clock.nowMs(), bindingTimeoutMs);
      if (state.kind === 'failed') throw new BindingFailure('failed', state.message);
      if (state.kind === 'timed-out') throw new BindingFailure('timeout', state.message);
      waiting ||= state.kind === 'waiting';
    }
    return waiting;
  }

  async #bind(pod: Pod, nodeName: string, signal: AbortSignal): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target: { apiVersion: 'v1', kind: 'Node', name: nodeName } };
    try {
      await this.#parts.client.createSubresource(PODS, nameOf(pod), 'binding', binding);
    } catch (error) {
      const failure = failedWrite('binding rejected: running Bind plugin "DefaultBinder"', asError(error));
      if (failure instanceof NoAnswer && (await this.#isBound(pod, nodeName, signal))) return;
      throw failure;
    }
  }

  /** Whether a binding that got no answer was carried out: the claims of a bound pod must not be given back. */
  async #isBound(pod: Pod, nodeName: string, signal: AbortSignal): Promise<boolean> {
    const { client, clock } = this.#parts;
    const current = await whenAnswered(() => client.get(PODS, nameOf(pod), pod.metadata.namespace), clock, signal);
    return current !== undefined && current.metadata.uid === pod.metadata.uid && current.spec?.nodeName === nodeName;
  }
}

class BindingFailure extends Error {
  override readonly name = 'BindingFailure';
  readonly status: BindingConditionsStatus;

  constructor(status: BindingConditionsStatus, message: string) {
    super(message);
    this.status = status;
  }
}

/** Like Promise.all, but waits for all also when one fails, so that nothing is written after the caller has begun to undo. */
async function settleAll<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
