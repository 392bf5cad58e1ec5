/** Scale: how many replicas a workload shall have, the same face for every kind that counts them (autoscaling/v1). */
import { type ApiObject, labelSelectorRequirements, labelSelectorText } from '#machinery';
import { AGE, ageCell, integerColumn, NAME } from '../columns/age.ts';
import { table } from '../columns/table.ts';
import type { Deployment, ReplicaSet, StatefulSet } from '../types/apps-v1.ts';
import type { Scale } from '../types/autoscaling-v1.ts';
import { FieldErrors } from '../validation/report.ts';
import { defineKind, version } from './define.ts';

/** The kinds that have a subresource `scale`. */
export type Scalable = Deployment | ReplicaSet | StatefulSet;

/** Scales are never stored: `scaleOf` makes one of the object that it scales. */
export const SCALE = defineKind({
  group: 'autoscaling',
  kind: 'Scale',
  plural: 'scales',
  namespaced: true,
  versions: [version('v1', 'io.k8s.api.autoscaling.v1.Scale')],
  validateUpdate: (object) => scaleErrors(object),
  table: table<Scale>(
    [
      { ...NAME, format: '' },
      integerColumn('Desired', 'Replicas that are wanted.'),
      integerColumn('Available', 'Replicas that the controller has counted last.'),
      AGE,
    ],
    (scale) => [scale.metadata.name ?? '', scale.spec?.replicas ?? 0, scale.status?.replicas ?? 0, ageCell(scale)],
  ),
});

/** Upstream: ValidateScale. */
function scaleErrors(object: ApiObject): FieldErrors['list'] {
  const errors = new FieldErrors();
  // The registry hands each kind its own objects.
  const replicas = (object as Scale).spec?.replicas ?? 0;
  if (replicas < 0) errors.invalid('spec.replicas', replicas, 'must be greater than or equal to 0');
  return errors.list;
}

/** The scale of a workload (upstream: scaleFromDeployment and its like). */
export function scaleOf({ metadata, spec, status }: Scalable): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const replicas = spec?.replicas ?? 0;
  const selector = labelSelectorText(labelSelectorRequirements(spec?.selector ?? {}));
  return {
    kind: SCALE.kind,
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: status?.replicas ?? 0, ...(selector !== '' && { selector }) },
  };
}
