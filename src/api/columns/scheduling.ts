/** Table columns of scheduling.k8s.io. */
import type { PriorityClass } from '../types/scheduling-v1.ts';
import type { PodGroup } from '../types/scheduling-v1alpha2.ts';
import { AGE, ageCell, column, NAME } from './age.ts';
import { table } from './table.ts';

/** Columns of PriorityClass. */
export const PRIORITY_CLASS_COLUMNS = table<PriorityClass>(
  [
    NAME,
    { ...column('Value', 'The actual priority that pods receive when they have the name of this class in their pod spec.'), type: 'integer' },
    { ...column('Global-Default', 'Whether this is the class of pods that name none.'), type: 'boolean' },
    AGE,
    column('PreemptionPolicy', 'Whether pods of this class preempt pods of lower priority: Never or PreemptLowerPriority.'),
  ],
  (priorityClass) => [
    priorityClass.metadata.name ?? '',
    priorityClass.value ?? 0,
    priorityClass.globalDefault ?? false,
    ageCell(priorityClass),
    priorityClass.preemptionPolicy ?? 'PreemptLowerPriority',
  ],
);

/** Columns of PodGroup. */
export const POD_GROUP_COLUMNS = table<PodGroup>(
  [
    NAME,
    column('Policy', 'How the pods of the group are scheduled: Basic or Gang.'),
    column('Workload', 'The workload that the group was made from.'),
    column('Status', 'Whether the group is scheduled.'),
    AGE,
  ],
  (group) => {
    const { schedulingPolicy, podGroupTemplateRef } = group.spec;
    const policy = schedulingPolicy.gang === undefined ? 'Basic' : 'Gang';
    return [group.metadata.name ?? '', policy, podGroupTemplateRef?.workload?.workloadName ?? '<none>', groupState(group), ageCell(group)];
  },
);

function groupState({ status }: PodGroup): string {
  const conditions = status?.conditions ?? [];
  const disrupted = conditions.find(({ type, status: value }) => type === 'DisruptionTarget' && value === 'True');
  if (disrupted !== undefined) return disrupted.reason ?? '';
  const scheduled = conditions.find(({ type }) => type === 'PodGroupScheduled');
  if (scheduled === undefined) return 'Pending';
  return scheduled.status === 'True' ? 'Scheduled' : (scheduled.reason ?? '');
}
