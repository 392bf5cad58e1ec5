/** Table columns of scheduling.k8s.io. */
import type { PriorityClass } from '../types/scheduling-v1.ts';
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
  (priorityClass, nowMs) => [
    priorityClass.metadata.name ?? '',
    priorityClass.value ?? 0,
    priorityClass.globalDefault ?? false,
    ageCell(priorityClass, nowMs),
    priorityClass.preemptionPolicy ?? 'PreemptLowerPriority',
  ],
);
