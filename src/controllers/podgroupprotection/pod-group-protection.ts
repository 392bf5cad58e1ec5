/** The pod group protection controller: a group that is to be deleted stays until none of its pods runs any more. */
import { type Pod, type PodGroup, podGroupNameOf } from '#api';
import { podGroups, PODS } from '#client';
import { isNotFound, keyOf, namespaceOf } from '#machinery';
import { Controller } from '#reconcile';
import { type ControllerContext, queueFor, synced } from '../controller-context.ts';

/** The finalizer that the API server gives every group (scheduling/v1alpha2: PodGroupProtectionFinalizer). */
const FINALIZER = 'scheduling.k8s.io/podgroup-protection';
const BY_GROUP = 'protected-group';

/** Runs until `signal` aborts; at once ends when there are no groups. */
export async function runPodGroupProtection(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { client, logger, gates, informers } = context;
  const resource = gates.get('GenericWorkload') === true ? await podGroups(client, signal) : undefined;
  if (resource === undefined) return;
  const groups = informers.of(resource);
  const pods = informers.of(PODS);
  const queue = queueFor(context, 'podgroup_protection');
  const groupKeyOf = (pod: Pod): string => `${namespaceOf(pod)}/${podGroupNameOf(pod)}`;
  pods.addIndex(BY_GROUP, (pod) => (podGroupNameOf(pod) === '' ? [] : [groupKeyOf(pod)]));
  await synced([groups, pods], signal);
  const groupChanged = (group: PodGroup): void => queue.add(keyOf(group));
  const podChanged = (pod: Pod): void => {
    if (podGroupNameOf(pod) !== '') queue.add(groupKeyOf(pod));
  };
  groups.addHandler({ added: groupChanged, updated: (_old, group) => groupChanged(group) });
  pods.addHandler({ updated: (_old, pod) => podChanged(pod), deleted: podChanged });
  const reconcile = async (key: string): Promise<void> => {
    const group = groups.lister.get(key);
    if (group === undefined || !isReleased(group, pods.lister.byIndex(BY_GROUP, key))) return;
    const { uid, resourceVersion, finalizers = [] } = group.metadata;
    const left = finalizers.filter((finalizer) => finalizer !== FINALIZER);
    try {
      await client.update(resource, { ...group, metadata: { ...group.metadata, uid, resourceVersion, finalizers: left } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  await new Controller({ name: 'podgroup_protection', reconcile, queue, logger }).run(signal);
}

/** Whether the group waits for its deletion only because of the finalizer; finished pods need no group. */
export function isReleased(group: PodGroup, pods: readonly Pod[]): boolean {
  const { deletionTimestamp, finalizers = [] } = group.metadata;
  const isActive = ({ status }: Pod): boolean => status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
  return deletionTimestamp !== undefined && finalizers.includes(FINALIZER) && !pods.some(isActive);
}
