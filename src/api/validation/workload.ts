/** Validation of Workload and PodGroup (upstream: pkg/apis/scheduling, declarative validation). */
import type { ApiObject } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import { sameValue } from '../object.ts';
import type {
  PodGroup,
  PodGroupResourceClaim,
  PodGroupSchedulingPolicy,
  PodGroupTemplate,
  Workload,
  WorkloadPodGroupTemplateReference,
} from '../types/scheduling-v1alpha2.ts';
import { checkConditions } from './conditions.ts';
import { dnsLabelProblems, dnsSubdomainProblems } from './names.ts';
import { pathSegmentProblems } from './rbac.ts';
import { checkList, FieldErrors } from './report.ts';

/** scheduling.WorkloadMaxPodGroupTemplates. */
const POD_GROUP_TEMPLATES_MAX_SIZE = 8;
/** scheduling.MaxPodGroupResourceClaims. */
const RESOURCE_CLAIMS_MAX_SIZE = 4;
const IMMUTABLE = 'field is immutable';
const DISRUPTION_MODES = ['Pod', 'PodGroup'];

/** A new workload. */
export function validateWorkload(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { podGroupTemplates, controllerRef } = (object as Workload).spec;
  if (isEmpty(podGroupTemplates)) errors.required('spec.podGroupTemplates', 'must have at least one item');
  checkList(errors, 'spec.podGroupTemplates', podGroupTemplates, {
    max: POD_GROUP_TEMPLATES_MAX_SIZE,
    key: ({ name }) => name,
    item: (template, path) => checkTemplate(errors, path, template),
  });
  if (controllerRef !== undefined) {
    const { apiGroup = '', kind, name } = controllerRef;
    if (apiGroup !== '') errors.invalidAll('spec.controllerRef.apiGroup', apiGroup, dnsSubdomainProblems(apiGroup));
    checkSegment(errors, 'spec.controllerRef.kind', kind);
    checkSegment(errors, 'spec.controllerRef.name', name);
  }
  return errors.list;
}

/** Also true of a list that the schema demands and the object lacks: it is null then. */
function isEmpty(list: readonly unknown[] | null | undefined): boolean {
  return (list ?? []).length === 0;
}

/** An update of a workload: its templates are fixed, its controller once it is named. */
export function validateWorkloadUpdate(object: ApiObject, old: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const [{ spec }, { spec: before }] = [object as Workload, old as Workload];
  const templates = spec.podGroupTemplates as readonly PodGroupTemplate[] | null;
  if (!sameValue(templates, before.podGroupTemplates)) {
    errors.invalid('spec.podGroupTemplates', null, IMMUTABLE);
    if (isEmpty(templates)) errors.required('spec.podGroupTemplates');
    else if (templates !== null && templates.length > POD_GROUP_TEMPLATES_MAX_SIZE)
      errors.tooMany('spec.podGroupTemplates', templates.length, POD_GROUP_TEMPLATES_MAX_SIZE);
  }
  if (before.controllerRef !== undefined && !sameValue(spec.controllerRef, before.controllerRef)) errors.invalid('spec.controllerRef', null, IMMUTABLE);
  return errors.list;
}

/** A new pod group. */
export function validatePodGroup(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { spec } = object as PodGroup;
  checkPolicy(errors, 'spec.schedulingPolicy', spec.schedulingPolicy);
  checkClaims(errors, 'spec.resourceClaims', spec.resourceClaims);
  checkMode(errors, 'spec.disruptionMode', spec.disruptionMode);
  // A member of a union that is absent is decoded to null.
  const reference = spec.podGroupTemplateRef?.workload as WorkloadPodGroupTemplateReference | null | undefined;
  if (reference === null) errors.invalid('spec.podGroupTemplateRef', '', 'must specify one of: `workload`');
  else if (reference !== undefined) {
    checkSubdomain(errors, 'spec.podGroupTemplateRef.workload.workloadName', reference.workloadName);
    checkLabel(errors, 'spec.podGroupTemplateRef.workload.podGroupTemplateName', reference.podGroupTemplateName);
  }
  return errors.list;
}

/** What stays of a pod group's spec, and the gate without which a change of it is refused altogether. */
const FIXED: readonly (readonly [member: keyof PodGroup['spec'], gate?: string])[] = [
  ['podGroupTemplateRef'],
  ['schedulingPolicy'],
  ['schedulingConstraints', 'TopologyAwareWorkloadScheduling'],
  ['resourceClaims', 'DRAWorkloadResourceClaims'],
  ['disruptionMode', 'WorkloadAwarePreemption'],
  ['priorityClassName', 'WorkloadAwarePreemption'],
  ['priority', 'WorkloadAwarePreemption'],
];

/** An update of a pod group: the spec is fixed; /status reports conditions and claims. */
export function validatePodGroupUpdate(object: ApiObject, old: ApiObject, { subresource, gates }: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  const [{ spec, status }, { spec: before }] = [object as PodGroup, old as PodGroup];
  if (subresource !== 'status') {
    for (const [member, gate] of FIXED) {
      if (sameValue(spec[member], before[member])) continue;
      if (gate === undefined || gates.get(gate) === true) errors.invalid(`spec.${member}`, null, IMMUTABLE);
      else errors.forbidden(`spec.${member}`, '');
    }
    const { resourceClaims: claims = [] } = spec;
    if (claims.length > RESOURCE_CLAIMS_MAX_SIZE && !sameValue(claims, before.resourceClaims))
      errors.tooMany('spec.resourceClaims', claims.length, RESOURCE_CLAIMS_MAX_SIZE);
    return errors.list;
  }
  checkConditions(errors, 'status.conditions', status?.conditions, Number.POSITIVE_INFINITY);
  const known = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  (status?.resourceClaimStatuses ?? []).forEach(({ name }, index) => {
    if (!known.has(name)) errors.invalid(`status.resourceClaimStatuses[${index}].name`, name, 'must match the name of an entry in `spec.resourceClaims`');
  });
  checkList(errors, 'status.resourceClaimStatuses', status?.resourceClaimStatuses, {
    max: RESOURCE_CLAIMS_MAX_SIZE,
    key: ({ name }) => name,
    item: ({ resourceClaimName }, path) => {
      if (resourceClaimName !== undefined) errors.invalidAll(`${path}.resourceClaimName`, resourceClaimName, dnsSubdomainProblems(resourceClaimName, 'bytes'));
    },
  });
  return errors.list;
}

function checkTemplate(errors: FieldErrors, path: string, template: PodGroupTemplate): void {
  checkLabel(errors, `${path}.name`, template.name);
  checkPolicy(errors, `${path}.schedulingPolicy`, template.schedulingPolicy);
  checkClaims(errors, `${path}.resourceClaims`, template.resourceClaims);
  checkMode(errors, `${path}.disruptionMode`, template.disruptionMode);
}

function checkPolicy(errors: FieldErrors, path: string, { basic, gang }: PodGroupSchedulingPolicy): void {
  if (basic !== undefined && gang !== undefined)
    return errors.invalid(path, '{basic, gang}', 'exactly one of `basic`, `gang` is required, but multiple fields are set');
  if (basic === undefined && gang === undefined) return errors.invalid(path, '', 'must specify one of: `basic`, `gang`');
  const minCount = gang?.minCount ?? 1;
  if (minCount === 0) errors.required(`${path}.gang.minCount`);
  else if (minCount < 0) errors.invalid(`${path}.gang.minCount`, minCount, 'must be greater than or equal to 1');
}

function checkClaims(errors: FieldErrors, path: string, claims: readonly PodGroupResourceClaim[] | undefined): void {
  checkList(errors, path, claims, { max: RESOURCE_CLAIMS_MAX_SIZE, key: ({ name }) => name, item: (claim, at) => checkClaim(errors, at, claim) });
}

function checkClaim(errors: FieldErrors, path: string, { name, resourceClaimName: claim, resourceClaimTemplateName: template }: PodGroupResourceClaim): void {
  checkLabel(errors, `${path}.name`, name);
  if (claim !== undefined && template !== undefined) {
    const both = '{resourceClaimName, resourceClaimTemplateName}';
    errors.invalid(path, both, 'exactly one of `resourceClaimName`, `resourceClaimTemplateName` is required, but multiple fields are set');
  } else if (claim === undefined && template === undefined) {
    errors.invalid(path, '', 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`');
  }
  if (claim !== undefined) errors.invalidAll(`${path}.resourceClaimName`, claim, dnsSubdomainProblems(claim));
  if (template !== undefined) errors.invalidAll(`${path}.resourceClaimTemplateName`, template, dnsSubdomainProblems(template));
}

function checkMode(errors: FieldErrors, path: string, mode: string | undefined): void {
  if (mode !== undefined && !DISRUPTION_MODES.includes(mode)) errors.notSupported(path, mode, DISRUPTION_MODES);
}

function checkLabel(errors: FieldErrors, path: string, name: string): void {
  if (name === '') errors.required(path);
  else errors.invalidAll(path, name, dnsLabelProblems(name, 'bytes'));
}

function checkSubdomain(errors: FieldErrors, path: string, name: string): void {
  if (name === '') errors.required(path);
  else errors.invalidAll(path, name, dnsSubdomainProblems(name));
}

function checkSegment(errors: FieldErrors, path: string, name: string): void {
  if (name === '') errors.required(path);
  else errors.invalidAll(path, name, pathSegmentProblems(name));
}
