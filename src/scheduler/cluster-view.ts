/** What the scheduler watches, and how each change reaches its caches and its queue. */
import type { PoolIndex } from '#allocator';
import type { Clock, Logger, Random } from '#base';
import { type DeviceClass, type DeviceTaintRule, type Node, type Pod, type PodGroup, podGroupNameOf, type ResourceClaim, type ResourceSlice } from '#api';
import { DEVICE_CLASSES, deviceTaintRules, Informer, NODES, podGroups, PODS, RESOURCE_CLAIMS, RESOURCE_SLICES, type Resource, type RestClient } from '#client';
import { type ApiObject, keyOf, nameOf, namespaceOf, stringifyJson } from '#machinery';
import type { ClaimCache } from './claim-cache.ts';
import { type ClassByResource, classesByResource } from './extended-resources.ts';
import { isFinished, type NodeCache } from './node-cache.ts';
import { claimKeysOf } from './pod-claims.ts';
import type { SchedulingQueue } from './scheduling-queue.ts';
import { SliceTracker } from './slice-tracker.ts';

/** What informers are made with. */
export interface ClusterViewParts {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly gates: ReadonlyMap<string, boolean>;
}

/** What is kept up to date. */
export interface ClusterConsumers {
  readonly schedulerName: string;
  readonly pools: PoolIndex;
  readonly claims: ClaimCache;
  readonly nodes: NodeCache;
  readonly queue: SchedulingQueue;
}

/** The spec.schedulerName of pods that name none. */
export const DEFAULT_SCHEDULER_NAME = 'default-scheduler';

const BY_CLAIM = 'claim';
const BY_CONTROLLER = 'controller';
const BY_GROUP = 'group';

/** Informers of all that scheduling depends on. */
export class ClusterView {
  readonly pods: Informer<Pod>;
  readonly claims: Informer<ResourceClaim>;
  readonly classes: Informer<DeviceClass>;
  readonly #nodes: Informer<Node>;
  readonly #slices: Informer<ResourceSlice>;
  readonly #parts: ClusterViewParts;
  #rules: Informer<DeviceTaintRule> | undefined;
  #groups: { readonly informer: Informer<PodGroup>; readonly resource: Resource<PodGroup> } | undefined;
  #nodesByName: readonly Node[] | undefined;
  #classesByResource: ClassByResource | undefined;

  constructor(parts: ClusterViewParts) {
    this.#parts = parts;
    this.pods = this.#informer(PODS);
    this.claims = this.#informer(RESOURCE_CLAIMS);
    this.classes = this.#informer(DEVICE_CLASSES);
    this.#nodes = this.#informer(NODES);
    this.#slices = this.#informer(RESOURCE_SLICES);
  }

  /** Starts to watch; resolves when the first lists are there or `signal` aborts. `ended` resolves when all watches have. */
  async start(signal: AbortSignal): Promise<{ readonly ended: Promise<unknown> }> {
    const rules = await this.#ruleResource(signal);
    this.#rules = rules === undefined ? undefined : this.#informer(rules);
    const groups = this.#parts.gates.get('GenericWorkload') === true ? await podGroups(this.#parts.client, signal) : undefined;
    this.#groups = groups === undefined ? undefined : { informer: this.#informer(groups), resource: groups };
    const optional = [this.#rules, this.#groups?.informer].filter((informer) => informer !== undefined);
    const informers = [this.#nodes, this.claims, this.#slices, this.classes, this.pods, ...optional];
    const ended = Promise.all(informers.map((informer) => informer.run(signal)));
    await Promise.race([Promise.all(informers.map((informer) => informer.whenSynced())), aborted(signal)]);
    return { ended };
  }

  /** All nodes, by name. */
  nodesByName(): readonly Node[] {
    this.#nodesByName ??= [...this.#nodes.lister.list()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    return this.#nodesByName;
  }

  /** Which class stands for which extended resource. */
  classesByResource(): ClassByResource {
    this.#classesByResource ??= classesByResource(this.classes.lister.list());
    return this.#classesByResource;
  }

  /** Claims whose controlling owner has this uid. */
  claimsControlledBy(uid: string): readonly ResourceClaim[] {
    return this.claims.lister.byIndex(BY_CONTROLLER, uid);
  }

  /** The group of a pod if there are groups. */
  anyGroupOf(pod: Pod): { readonly object: PodGroup; readonly resource: Resource<PodGroup> } | undefined {
    const name = podGroupNameOf(pod);
    const object = name === '' ? undefined : this.#groups?.informer.lister.get(`${namespaceOf(pod)}/${name}`);
    return object === undefined || this.#groups === undefined ? undefined : { object, resource: this.#groups.resource };
  }

  /** The group of a pod if groups have claims. */
  groupOf(pod: Pod): PodGroup | undefined {
    return this.#parts.gates.get('DRAWorkloadResourceClaims') === true ? this.anyGroupOf(pod)?.object : undefined;
  }

  /** Passes on what is known and every change from now on. Pods come last: their checks read what the others fill. */
  feed(consumers: ClusterConsumers): void {
    this.pods.addIndex(BY_CLAIM, claimKeysOf);
    this.claims.addIndex(BY_CONTROLLER, (claim) =>
      (claim.metadata.ownerReferences ?? []).filter((owner) => owner.controller === true).map((owner) => owner.uid),
    );
    this.#feedSlices(consumers);
    this.#feedClasses(consumers);
    this.#feedClaims(consumers);
    this.#feedNodes(consumers);
    this.#feedGroups(consumers);
    this.#feedPods(consumers);
  }

  #informer<T extends ApiObject>(resource: Resource<T>): Informer<T> {
    const { client, clock, random, logger } = this.#parts;
    return new Informer({ client, resource, clock, random, logger });
  }

  async #ruleResource(signal: AbortSignal): Promise<Resource<DeviceTaintRule> | undefined> {
    const { gates, client, logger } = this.#parts;
    if (gates.get('DRADeviceTaintRules') !== true || gates.get('DRADeviceTaints') !== true) return undefined;
    const resource = await deviceTaintRules(client, signal);
    if (resource === undefined) logger.warn('DRADeviceTaintRules is on, but the server serves no DeviceTaintRules');
    return resource;
  }

  #feedSlices({ pools, queue }: ClusterConsumers): void {
    const tracker = new SliceTracker(pools);
    const then =
      <T>(apply: (object: T) => void) =>
      (object: T): void => {
        apply(object);
        queue.wake('slice');
      };
    const upsertSlice = then((slice: ResourceSlice) => tracker.upsertSlice(slice));
    const upsertRule = then((rule: DeviceTaintRule) => tracker.upsertRule(rule));
    this.#rules?.addHandler({ added: upsertRule, updated: (_old, rule) => upsertRule(rule), deleted: then((rule) => tracker.deleteRule(rule)) });
    this.#slices.addHandler({ added: upsertSlice, updated: (_old, slice) => upsertSlice(slice), deleted: (slice) => tracker.deleteSlice(slice) });
  }

  #feedClasses({ queue }: ClusterConsumers): void {
    const changed = (): void => {
      this.#classesByResource = undefined;
      queue.wake('class');
    };
    this.classes.addHandler({ added: changed, updated: changed, deleted: changed });
  }

  #feedClaims({ claims, queue }: ClusterConsumers): void {
    const changed = (claim: ResourceClaim, freed: boolean): void => {
      claims.informed(keyOf(claim));
      if (freed) queue.wake('claim');
      for (const pod of this.pods.lister.byIndex(BY_CLAIM, keyOf(claim))) queue.recheck(keyOf(pod));
    };
    this.claims.addHandler({
      added: (claim) => changed(claim, false),
      updated: (old, claim) => changed(claim, old.status?.allocation !== undefined && claim.status?.allocation === undefined),
      deleted: (claim) => changed(claim, claim.status?.allocation !== undefined),
    });
  }

  /** Heartbeats change a node often and no decision: only what filters read wakes pods. */
  #feedNodes({ queue }: ClusterConsumers): void {
    const essence = (of: Node): string => stringifyJson([of.spec, of.metadata.labels, of.status?.allocatable, of.status?.declaredFeatures]);
    const changed = (old?: Node, node?: Node): void => {
      this.#nodesByName = undefined;
      if (old === undefined || node === undefined || essence(old) !== essence(node)) queue.wake('node');
    };
    this.#nodes.addHandler({ added: () => changed(), updated: changed, deleted: () => changed() });
  }

  /** A pod may have been waiting for its group. */
  #feedGroups({ queue }: ClusterConsumers): void {
    this.pods.addIndex(BY_GROUP, (pod) => (podGroupNameOf(pod) === '' ? [] : [`${namespaceOf(pod)}/${podGroupNameOf(pod)}`]));
    const changed = (group: PodGroup): void => {
      for (const pod of this.pods.lister.byIndex(BY_GROUP, keyOf(group))) queue.recheck(keyOf(pod));
    };
    this.#groups?.informer.addHandler({ added: changed, updated: (_old, group) => changed(group) });
  }

  #feedPods({ nodes, queue, schedulerName }: ClusterConsumers): void {
    const changed = (pod: Pod, old?: Pod): void => {
      nodes.informed(pod);
      const waits = (pod.spec?.nodeName ?? '') === '' && !isFinished(pod) && pod.metadata.deletionTimestamp === undefined;
      if (waits && (pod.spec?.schedulerName ?? DEFAULT_SCHEDULER_NAME) === schedulerName) queue.upsert(pod);
      else queue.remove(keyOf(pod));
      if (isFinished(pod) && (old === undefined || !isFinished(old))) queue.wake('pod');
    };
    this.pods.addHandler({
      added: (pod) => changed(pod),
      updated: (old, pod) => changed(pod, old),
      deleted: (pod) => {
        nodes.remove(keyOf(pod));
        nodes.denominate(pod);
        queue.remove(keyOf(pod));
        queue.wake('pod');
      },
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
