/** Validation of nodes (core/validation ValidateNode and ValidateNodeUpdate). */
import type { ApiObject } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import type { Node, NodeSpec, Taint } from '../types/core-v1.ts';
import { cidrFamily } from './cidr.ts';
import { goStruct } from './go-struct.ts';
import { DNS_SUBDOMAIN_MAX_LENGTH, labelKeyProblems, labelValueProblems } from './names.ts';
import { FieldErrors } from './report.ts';
import { checkResourceAmount } from './resource-names.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const FEATURE = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/;
const CIDR_TEXT = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** A new node. */
export function validateNode(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  checkNode(errors, object as Node);
  return errors.list;
}

/** A changed node: upstream checks it as if it were new, too, but for /status. */
export function validateNodeUpdate(object: ApiObject, old: ApiObject, { subresource }: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  const [node, before] = [object as Node, old as Node];
  if (subresource === '') checkNode(errors, node);
  checkAmounts(errors, node);
  checkFeatures(errors, node.status?.declaredFeatures ?? []);
  checkAddresses(errors, node);
  checkFixed(errors, node.spec ?? {}, before.spec ?? {});
  checkTaints(errors, node.spec?.taints ?? []);
  return errors.list;
}

function checkNode(errors: FieldErrors, node: Node): void {
  checkTaints(errors, node.spec?.taints ?? []);
  checkAmounts(errors, node);
  const swap = node.status?.nodeInfo?.swap?.capacity;
  // The path is upstream's.
  if (swap !== undefined && swap <= 0) errors.invalid('metadata.nodeSwapStatus.capacity', swap, 'must be greater than 0');
  checkFeatures(errors, node.status?.declaredFeatures ?? []);
  checkPodCidrs(errors, node.spec?.podCIDRs ?? []);
}

/** The paths of taints, below metadata, are upstream's. */
function checkTaints(errors: FieldErrors, taints: readonly Taint[]): void {
  const seen = new Set<string>();
  taints.forEach((taint, index) => {
    const at = `metadata.taints[${index}]`;
    const { key, value = '', effect } = taint;
    errors.invalidAll(`${at}.key`, key, labelKeyProblems(key));
    const problems = labelValueProblems(value);
    if (problems.length > 0) errors.invalid(`${at}.value`, value, problems.join(';'));
    // An absent effect is decoded to "".
    if ((effect as string) === '') errors.required(`${at}.effect`);
    else if (!EFFECTS.includes(effect)) errors.notSupported(`${at}.effect`, effect, EFFECTS);
    const identity = `${effect} ${key}`;
    if (seen.has(identity)) errors.duplicate(at, goStruct(taint, 'io.k8s.api.core.v1.Taint'), 'taints must be unique by key and effect pair');
    seen.add(identity);
  });
}

function checkAmounts(errors: FieldErrors, { status }: Node): void {
  for (const member of ['capacity', 'allocatable'] as const) {
    for (const [name, amount] of Object.entries(status?.[member] ?? {})) checkResourceAmount(errors, `status.${member}.${name}`, name, amount);
  }
}

function checkFeatures(errors: FieldErrors, features: readonly string[]): void {
  features.forEach((feature, index) => {
    const at = `status.declaredFeatures[${index}]`;
    if (feature.length > DNS_SUBDOMAIN_MAX_LENGTH)
      errors.invalid(at, feature, `invalid feature name ${JSON.stringify(feature)}: must be no more than ${DNS_SUBDOMAIN_MAX_LENGTH} characters`);
    else if (!FEATURE.test(feature))
      errors.invalid(
        at,
        feature,
        `invalid feature name ${JSON.stringify(feature)}: must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`,
      );
    const next = features[index + 1];
    if (next === feature) errors.duplicate(`status.declaredFeatures[${index + 1}]`, next);
    else if (next !== undefined && feature > next) errors.invalid(`status.declaredFeatures[${index + 1}]`, next, 'list must be sorted alphabetically');
  });
}

/** One range, or one of each family. */
function checkPodCidrs(errors: FieldErrors, ranges: readonly string[]): void {
  const path = 'spec.podCIDRs';
  const families = ranges.map(cidrFamily);
  ranges.forEach((range, index) => {
    if (families[index] === undefined) errors.invalid(`${path}[${index}]`, range, CIDR_TEXT);
  });
  if (ranges.length < 2) return;
  const bad = families.indexOf(undefined);
  if (bad >= 0)
    errors.internal(
      path,
      `invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[${bad}]: <nil> (invalid CIDR address: ${ranges[bad] ?? ''})`,
    );
  const dual = bad < 0 && families.includes(4) && families.includes(6);
  if (!dual || ranges.length > 2) errors.invalid(path, ranges, 'may specify no more than one CIDR for each IP family');
}

function checkAddresses(errors: FieldErrors, { status }: Node): void {
  const seen = new Set<string>();
  (status?.addresses ?? []).forEach((address, index) => {
    const key = `${address.type} ${address.address}`;
    if (seen.has(key)) errors.duplicate(`status.addresses[${index}]`, goStruct(address, 'io.k8s.api.core.v1.NodeAddress'));
    seen.add(key);
  });
}

/** What is fixed once it is set; each range that differs is told. */
function checkFixed(errors: FieldErrors, next: NodeSpec, before: NodeSpec): void {
  const [ranges, earlier] = [next.podCIDRs ?? [], before.podCIDRs ?? []];
  const changed = ranges.length === earlier.length ? earlier.filter((range, index) => ranges[index] !== range).length : Math.min(1, earlier.length);
  for (let time = 0; time < changed; time++) errors.forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid');
  const provider = before.providerID ?? '';
  if (provider !== '' && next.providerID !== provider) {
    errors.forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid');
  }
  if ((next.externalID ?? '') !== (before.externalID ?? '')) errors.forbidden('spec.externalID', 'may not be updated');
}
