/** Validation of whole objects of resource.k8s.io, in the v1 shape: what the kinds call. */
import type { ApiObject } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { DeviceTaintRule } from '../types/resource-v1beta2.ts';
import type { DeviceClass, ResourceClaim, ResourceClaimTemplate } from '../types/resource-v1.ts';
import { checkClaimSpec, DEVICE_CONFIG_MAX_SIZE } from './claim-spec.ts';
import { checkClaimStatus } from './claim-status.ts';
import { checkConditions } from './conditions.ts';
import { checkDriverName, checkLabel, checkPoolName } from './dra-names.ts';
import { checkAnnotations, checkLabels } from './metadata.ts';
import { labelKeyProblems } from './names.ts';
import { checkList, FieldErrors } from './report.ts';
import { checkConfiguration, checkSelectors } from './requests.ts';
import { goStruct } from './go-struct.ts';
import { checkTaint } from './taint.ts';

const IMMUTABLE = 'field is immutable';

/** A new claim. */
export function validateClaim(object: ApiObject, context: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  checkClaimSpec(errors, 'spec', (object as ResourceClaim).spec, context);
  return errors.list;
}

/** An update of a claim: the spec never changes, /status follows its own rules. */
export function validateClaimUpdate(object: ApiObject, old: ApiObject, context: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  const [claim, before] = [object as ResourceClaim, old as ResourceClaim];
  if (!sameValue(claim.spec, before.spec)) errors.invalid('spec', goStruct(claim.spec, 'io.k8s.api.resource.v1.ResourceClaimSpec'), IMMUTABLE);
  if (context.subresource === 'status') checkClaimStatus(errors, claim, before);
  return errors.list;
}

/** A new template: its metadata may carry labels and annotations only. */
export function validateTemplate(object: ApiObject, context: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  checkTemplateMetadata(errors, object as ResourceClaimTemplate);
  checkClaimSpec(errors, 'spec.spec', (object as ResourceClaimTemplate).spec.spec, context);
  return errors.list;
}

function checkTemplateMetadata(errors: FieldErrors, { spec }: ResourceClaimTemplate): void {
  const inner = spec.metadata ?? {};
  checkLabels(errors, 'spec.metadata.labels', inner.labels);
  checkAnnotations(errors, 'spec.metadata.annotations', inner.annotations);
  for (const [member, value] of Object.entries(inner)) {
    if (member !== 'labels' && member !== 'annotations' && value !== undefined) {
      errors.forbidden(`spec.metadata.${member}`, 'cannot be set');
    }
  }
}

/** An update of a template: nothing in its spec may change, and all of it is checked as if it were new (resourceclaimtemplate/strategy.go). */
export function validateTemplateUpdate(object: ApiObject, old: ApiObject, context: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  const { spec } = object as ResourceClaimTemplate;
  checkTemplateMetadata(errors, object as ResourceClaimTemplate);
  checkClaimSpec(errors, 'spec.spec', spec.spec, context);
  if (!sameValue(spec, (old as ResourceClaimTemplate).spec))
    errors.invalid('spec', goStruct(spec, 'io.k8s.api.resource.v1.ResourceClaimTemplateSpec'), IMMUTABLE);
  return errors.list;
}

/** A new class, or on update what differs from the old one. */
export function validateClass(object: ApiObject, context: StrategyContext, old?: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { spec } = object as DeviceClass;
  const before = (old as DeviceClass | undefined)?.spec;
  if (before === undefined || !sameValue(spec.selectors, before.selectors)) checkSelectors(errors, 'spec.selectors', spec.selectors, context);
  if (before === undefined || !sameValue(spec.config, before.config)) {
    checkList(errors, 'spec.config', spec.config, { max: DEVICE_CONFIG_MAX_SIZE, item: (config, at) => checkConfiguration(errors, at, config) });
  }
  if (spec.extendedResourceName !== undefined) checkExtendedResourceName(errors, 'spec.extendedResourceName', spec.extendedResourceName);
  return errors.list;
}

const QUOTA_PREFIX = 'requests.';
const EXTENDED_RESOURCE_TEXT = 'must be a valid extended resource name';

/** A name with a domain outside kubernetes.io that quota can still prefix (core IsExtendedResourceName). */
function checkExtendedResourceName(errors: FieldErrors, path: string, name: string): void {
  const foreign = name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith(QUOTA_PREFIX);
  if (!foreign || labelKeyProblems(QUOTA_PREFIX + name).length > 0) errors.invalid(path, name, EXTENDED_RESOURCE_TEXT);
}

/** resource.DeviceTaintRuleStatusMaxConditions. */
const RULE_STATUS_MAX_CONDITIONS = 8;

/** A new or updated rule; `old` spares an effect that did not change. */
export function validateTaintRule(object: ApiObject, context: StrategyContext, old?: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const rule = object as DeviceTaintRule;
  if (context.subresource === 'status') {
    checkConditions(errors, 'status.conditions', rule.status?.conditions, RULE_STATUS_MAX_CONDITIONS);
    return errors.list;
  }
  const { driver, pool, device } = rule.spec.deviceSelector ?? {};
  if (driver !== undefined) checkDriverName(errors, 'spec.deviceSelector.driver', driver);
  if (pool !== undefined) checkPoolName(errors, 'spec.deviceSelector.pool', pool);
  if (device !== undefined) checkLabel(errors, 'spec.deviceSelector.device', device);
  checkTaint(errors, 'spec.taint', rule.spec.taint, (old as DeviceTaintRule | undefined)?.spec.taint);
  return errors.list;
}
