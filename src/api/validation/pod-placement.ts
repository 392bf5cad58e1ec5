/** Validation of what says where a pod may run: tolerations, affinity, spreading (core/validation). */
import type { LabelSelector } from '#machinery';
import type { Affinity, NodeAffinity, PodAffinityTerm, Toleration, TopologySpreadConstraint } from '../types/core-v1.ts';
import { checkLabelSelector } from './label-selector.ts';
import { dnsLabelProblems, labelKeyProblems, labelValueProblems } from './names.ts';
import { checkNodeSelector, checkNodeSelectorTerm } from './node-selector.ts';
import { type FieldErrors } from './report.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Which taints a pod bears. */
export function checkTolerations(errors: FieldErrors, path: string, tolerations: readonly Toleration[]): void {
  tolerations.forEach((toleration, index) => {
    const at = `${path}[${index}]`;
    const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
    if (key !== '') errors.invalidAll(`${at}.key`, key, labelKeyProblems(key));
    if (key === '' && operator !== 'Exists')
      errors.invalid(`${at}.operator`, operator, 'operator must be Exists when `key` is empty, which means "match all values and all keys"');
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      errors.invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    checkOperator(errors, at, operator, value);
    if (effect !== '' && !EFFECTS.includes(effect)) errors.notSupported(`${at}.effect`, effect, EFFECTS);
  });
}

function checkOperator(errors: FieldErrors, path: string, operator: string, value: string): void {
  const at = `${path}.operator`;
  if (operator === 'Exists') {
    if (value !== '') errors.invalid(at, value, "value must be empty when `operator` is 'Exists'");
  } else if (operator === 'Equal' || operator === '') {
    const problems = labelValueProblems(value);
    if (problems.length > 0) errors.invalid(at, value, problems.join(';'));
  } else errors.notSupported(at, operator, operator === 'Lt' || operator === 'Gt' ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists']);
}

/** Nodes and pods that a pod wants to be near, or not. */
export function checkAffinity(errors: FieldErrors, path: string, { nodeAffinity, podAffinity, podAntiAffinity }: Affinity): void {
  if (nodeAffinity !== undefined) checkNodeAffinity(errors, `${path}.nodeAffinity`, nodeAffinity);
  for (const [member, affinity] of Object.entries({ podAffinity, podAntiAffinity })) {
    const at = `${path}.${member}`;
    affinity?.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, index) => {
      checkPodTerm(errors, `${at}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`, term);
    });
    affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, podAffinityTerm }, index) => {
      const preferred = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
      checkWeight(errors, preferred, weight);
      checkPodTerm(errors, `${preferred}.podAffinityTerm`, podAffinityTerm);
    });
  }
}

function checkNodeAffinity(errors: FieldErrors, path: string, affinity: NodeAffinity): void {
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  if (required !== undefined) checkNodeSelector(errors, `${path}.requiredDuringSchedulingIgnoredDuringExecution`, required);
  affinity.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, preference }, index) => {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
    checkWeight(errors, at, weight);
    checkNodeSelectorTerm(errors, `${at}.preference`, preference, false);
  });
}

function checkWeight(errors: FieldErrors, path: string, weight: number): void {
  if (weight <= 0 || weight > 100) errors.invalid(`${path}.weight`, weight, 'must be in the range 1-100');
}

function checkPodTerm(errors: FieldErrors, path: string, term: PodAffinityTerm): void {
  const { labelSelector, namespaceSelector, namespaces = [], matchLabelKeys = [], mismatchLabelKeys = [], topologyKey } = term;
  if (labelSelector !== undefined) checkLabelSelector(errors, `${path}.labelSelector`, labelSelector);
  if (namespaceSelector !== undefined) checkLabelSelector(errors, `${path}.namespaceSelector`, namespaceSelector);
  for (const namespace of namespaces) errors.invalidAll(`${path}.namespace`, namespace, dnsLabelProblems(namespace));
  checkLabelKeys(errors, path, { matchLabelKeys, mismatchLabelKeys, labelSelector });
  if (topologyKey === '') errors.required(`${path}.topologyKey`, 'can not be empty');
  errors.invalidAll(`${path}.topologyKey`, topologyKey, labelKeyProblems(topologyKey));
}

interface LabelKeys {
  readonly matchLabelKeys: readonly string[];
  readonly mismatchLabelKeys: readonly string[];
  readonly labelSelector: LabelSelector | undefined;
}

/** Keys whose values come from the pod itself: the selector must not name them, too. */
function checkLabelKeys(errors: FieldErrors, path: string, { matchLabelKeys, mismatchLabelKeys, labelSelector }: LabelKeys): void {
  for (const [member, keys] of Object.entries({ matchLabelKeys, mismatchLabelKeys })) {
    if (keys.length > 0 && labelSelector === undefined) errors.forbidden(`${path}.${member}`, 'must not be specified when labelSelector is not set');
    else keys.forEach((key, index) => errors.invalidAll(`${path}.${member}[${index}]`, key, labelKeyProblems(key)));
  }
  const named = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  const [matched, mismatched] = [new Set(matchLabelKeys), new Set(mismatchLabelKeys)];
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    if (matched.has(key) && named.has(key) && !errors.full)
      errors.invalid(`${path}[${matchLabelKeys.indexOf(key)}]`, key, 'exists in both matchLabelKeys and labelSelector');
    named.add(key);
  }
  matchLabelKeys.forEach((key, index) => {
    if (mismatched.has(key)) errors.invalid(`${path}.matchLabelKeys[${index}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys');
  });
}

const UNSATISFIABLE = ['DoNotSchedule', 'ScheduleAnyway'];
const INCLUSION = ['Honor', 'Ignore'];

/** How evenly pods are spread. */
export function checkSpreading(errors: FieldErrors, path: string, constraints: readonly TopologySpreadConstraint[]): void {
  const pairs = constraints.map(({ topologyKey, whenUnsatisfiable }) => `{${topologyKey}, ${whenUnsatisfiable}}`);
  const last = new Map(pairs.map((pair, index) => [pair, index]));
  constraints.forEach((constraint, index) => {
    const at = `${path}[${index}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains, matchLabelKeys = [], labelSelector } = constraint;
    if (maxSkew <= 0) errors.invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero');
    if (topologyKey === '') errors.required(`${at}.topologyKey`, 'can not be empty');
    else errors.invalidAll(`${at}.topologyKey`, topologyKey, labelKeyProblems(topologyKey));
    if (!UNSATISFIABLE.includes(whenUnsatisfiable)) errors.notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, UNSATISFIABLE);
    const pair = pairs[index] ?? '';
    if (last.get(pair) !== index) errors.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair);
    if (minDomains !== undefined) checkMinDomains(errors, `${at}.minDomains`, minDomains, whenUnsatisfiable);
    for (const member of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const policy = constraint[member];
      if (policy !== undefined && !INCLUSION.includes(policy)) errors.notSupported(`${at}.${member}`, policy, INCLUSION);
    }
    checkLabelKeys(errors, at, { matchLabelKeys, mismatchLabelKeys: [], labelSelector });
    if (labelSelector !== undefined) checkLabelSelector(errors, `${at}.labelSelector`, labelSelector);
  });
}

function checkMinDomains(errors: FieldErrors, path: string, minDomains: number, whenUnsatisfiable: string): void {
  if (minDomains <= 0) errors.invalid(path, minDomains, 'must be greater than zero');
  if (whenUnsatisfiable !== 'DoNotSchedule')
    errors.invalid(path, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`);
}
