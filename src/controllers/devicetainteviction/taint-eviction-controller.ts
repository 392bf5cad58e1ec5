/** The device taint eviction controller: deletes pods whose devices carry a NoExecute taint that they do not tolerate (any longer). */
import type { DeviceTaintRule, Pod, ResourceClaim, ResourceSlice } from '#api';
import { EventRecorder, type Informer, PODS, RESOURCE_CLAIMS, RESOURCE_SLICES, deviceTaintRules } from '#client';
import { keyOf } from '#machinery';
import { Controller, type ReconcileResult, type WorkQueue } from '#reconcile';
import { type ControllerContext, queueFor, synced } from '../controller-context.ts';
import { poolKey, PublishedDevices } from './published-devices.ts';
import { evictingMetrics, PodEviction } from './pod-eviction.ts';
import { PendingEvictions } from './pending-evictions.ts';
import { RuleStatus } from './rule-status.ts';
import { selects } from './eviction-time.ts';

const BY_POOL = 'allocated-pool';
/** Name under which users see the controller (upstream: the event source). */
const COMPONENT = 'device-taint-eviction-controller';
/** Workers (upstream: --concurrent-device-taint-eviction-syncs). */
const WORKERS = 8;

/** Runs until `signal` aborts; at once ends when device taints are off. */
export async function runDeviceTaintEviction(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { client, clock, random, logger, gates, informers } = context;
  if (gates.get('DRADeviceTaints') !== true) return;
  const pods = informers.of(PODS);
  const claims = informers.of(RESOURCE_CLAIMS);
  const slices = informers.of(RESOURCE_SLICES);
  const ruleResource = gates.get('DRADeviceTaintRules') === true ? await deviceTaintRules(client, signal) : undefined;
  const rules = ruleResource === undefined ? undefined : informers.of(ruleResource);
  const devices = new PublishedDevices(slices);
  claims.addIndex(BY_POOL, (claim) => (claim.status?.allocation?.devices?.results ?? []).map((result) => poolKey(result.driver, result.pool)));
  await synced([pods, claims, slices, ...(rules === undefined ? [] : [rules])], signal);
  const queue = queueFor(context, 'device_taint_eviction');
  const events = new EventRecorder({ client, clock, random, logger, component: COMPONENT });
  const pending = new PendingEvictions({ pods: pods.lister, claims: claims.lister, rules: rules?.lister, devices });
  const eviction = new PodEviction({ client, clock, events, pending, metrics: evictingMetrics(context.metrics) });
  const ruleStatus = ruleResource === undefined ? undefined : new RuleStatus({ client, clock, resource: ruleResource, pending, eviction });
  watch(queue, { pods, claims, slices, rules });
  const reconcile = async (key: string): Promise<void | ReconcileResult> => {
    if (key.startsWith('rule:')) {
      const name = key.slice('rule:'.length);
      return ruleStatus?.sync(name, rules?.lister.get(name));
    }
    const result = await eviction.sync(key.slice('pod:'.length));
    for (const rule of rules?.lister.list() ?? []) queue.add(`rule:${keyOf(rule)}`);
    return result;
  };
  await new Controller({ name: 'device_taint_eviction', reconcile, queue, logger, workers: WORKERS }).run(signal);
  await events.flush();
}

interface Watched {
  readonly pods: Informer<Pod>;
  readonly claims: Informer<ResourceClaim>;
  readonly slices: Informer<ResourceSlice>;
  readonly rules: Informer<DeviceTaintRule> | undefined;
}

/** Any change that may move, set or cancel the eviction of a pod makes the pod be looked at. */
function watch(queue: WorkQueue, { pods, claims, slices, rules }: Watched): void {
  const queueConsumers = (claim: ResourceClaim): void => {
    for (const consumer of claim.status?.reservedFor ?? []) queue.add(`pod:${claim.metadata.namespace ?? ''}/${consumer.name}`);
  };
  const sliceChanged = ({ spec }: ResourceSlice): void => {
    for (const claim of claims.lister.byIndex(BY_POOL, poolKey(spec.driver, spec.pool.name))) queueConsumers(claim);
  };
  const ruleChanged = (rule: DeviceTaintRule): void => {
    queue.add(`rule:${keyOf(rule)}`);
    for (const claim of claims.lister.list()) {
      if ((claim.status?.allocation?.devices?.results ?? []).some((result) => selects(rule, result))) queueConsumers(claim);
    }
  };
  const podChanged = (pod: Pod): void => {
    if ((pod.spec?.resourceClaims ?? []).length > 0 || pod.status?.extendedResourceClaimStatus !== undefined) queue.add(`pod:${keyOf(pod)}`);
  };
  const both =
    <T>(changed: (object: T) => void) =>
    (old: T, now: T): void => {
      changed(old);
      changed(now);
    };
  rules?.addHandler({ added: ruleChanged, updated: both(ruleChanged), deleted: ruleChanged });
  slices.addHandler({ added: sliceChanged, updated: both(sliceChanged), deleted: sliceChanged });
  claims.addHandler({ added: queueConsumers, updated: both(queueConsumers), deleted: queueConsumers });
  pods.addHandler({ added: podChanged, updated: (_old, pod) => podChanged(pod), deleted: podChanged });
}
