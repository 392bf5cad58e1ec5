/** What is warned of in pods and templates that are valid but hardly meant so (upstream: pkg/api/pod GetWarningsForPodTemplate). */
import type { ObjectMeta } from '#machinery';
import type {
  Container,
  ContainerPort,
  EnvVar,
  NodeSelectorTerm,
  PersistentVolumeClaimSpec,
  PodAffinityTerm,
  PodSpec,
  PodTemplateSpec,
} from '../types/core-v1.ts';
import { dnsLabelProblems } from './names.ts';
import { amountOf } from './resource-names.ts';

/** Labels of nodes that have other names today (pkg/api/node). */
const DEPRECATED_LABELS: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ['failure-domain.beta.kubernetes.io/region', 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ['failure-domain.beta.kubernetes.io/zone', 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ['beta.kubernetes.io/instance-type', 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
  ['app.kubernetes.io/created-by', 'deprecated since v1.9'],
  ['scheduler.alpha.kubernetes.io/preferAvoidPods', 'deprecated since v1.22; use Taints and Tolerations instead'],
  ['node-role.kubernetes.io/master', 'use "node-role.kubernetes.io/control-plane" instead'],
]);
const DEPRECATED_ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};
const SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_OF_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';

/** A name that is no DNS label, of what makes pods or is one. */
export function nameWarnings(name: string, use: 'Pod names and hostnames' | "the Pod's hostname"): readonly string[] {
  const problems = dnsLabelProblems(name);
  if (problems.length === 0) return [];
  return [`metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`];
}

/** A template at `path`; "" for a pod itself. */
export function podWarnings({ metadata, spec }: PodTemplateSpec, path = 'spec.template'): readonly string[] {
  if (spec === undefined) return [];
  const base = path === '' ? '' : `${path}.`;
  const containers = visited(spec, `${base}spec`);
  return [
    ...placementWarnings(spec, `${base}spec`),
    ...annotationWarnings(metadata ?? {}, spec, `${base}metadata.annotations`),
    ...repeatedWarnings(spec, `${base}spec`),
    ...containers.flatMap(([container, at]) => containerWarnings(container, at, metadata ?? {}, `${base}metadata.annotations`)),
    ...portWarnings(containers),
    ...termWarnings(spec, `${base}spec`),
  ];
}

type Located = readonly [container: Pick<Container, 'name' | 'ports' | 'env' | 'resources' | 'securityContext'>, path: string];

function visited({ initContainers = [], containers, ephemeralContainers = [] }: PodSpec, path: string): readonly Located[] {
  const lists = { initContainers, containers, ephemeralContainers };
  return Object.entries(lists).flatMap(([member, list]) => list.map((container, index): Located => [container, `${path}.${member}[${index}]`]));
}

function placementWarnings({ nodeSelector = {}, affinity, topologySpreadConstraints = [] }: PodSpec, path: string): readonly string[] {
  const warnings: string[] = [];
  for (const key of Object.keys(nodeSelector)) {
    const why = DEPRECATED_LABELS.get(key);
    if (why !== undefined) warnings.push(`${path}.nodeSelector[${key}]: ${why}`);
  }
  const { requiredDuringSchedulingIgnoredDuringExecution: required, preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } =
    affinity?.nodeAffinity ?? {};
  const at = `${path}.affinity.nodeAffinity`;
  (required?.nodeSelectorTerms ?? []).forEach((term, index) =>
    warnings.push(...nodeTermWarnings(term, `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`)),
  );
  preferred.forEach(({ preference }, index) =>
    warnings.push(...nodeTermWarnings(preference, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`)),
  );
  topologySpreadConstraints.forEach(({ topologyKey, labelSelector }, index) => {
    const constraint = `${path}.topologySpreadConstraints[${index}]`;
    const why = DEPRECATED_LABELS.get(topologyKey);
    if (why !== undefined) warnings.push(`${constraint}.topologyKey: ${topologyKey} is ${why}`);
    if (labelSelector === undefined) warnings.push(`${constraint}.labelSelector: a null labelSelector results in matching no pod`);
  });
  return warnings;
}

function nodeTermWarnings({ matchExpressions = [] }: NodeSelectorTerm, path: string): readonly string[] {
  return matchExpressions.flatMap(({ key }, index) => {
    const why = DEPRECATED_LABELS.get(key);
    return why === undefined ? [] : [`${path}.matchExpressions[${index}].key: ${key} is ${why}`];
  });
}

function annotationWarnings({ annotations = {} }: ObjectMeta, { securityContext }: PodSpec, path: string): readonly string[] {
  const old = Object.entries(DEPRECATED_ANNOTATIONS).filter(([key]) => annotations[key] !== undefined);
  const warnings = old.map(([key, why]) => `${path}[${key}]: ${why}`);
  if (securityContext?.seccompProfile === undefined && annotations[SECCOMP] !== undefined) warnings.push(seccompWarning(path, SECCOMP));
  return warnings;
}

function seccompWarning(path: string, key: string): string {
  return `${path}[${key}]: non-functional in v1.27+; use the "seccompProfile" field instead`;
}

function repeatedWarnings({ hostAliases = [], imagePullSecrets = [], overhead = {} }: PodSpec, path: string): readonly string[] {
  const addresses = hostAliases.map(({ ip }) => ip);
  const secrets = imagePullSecrets.map(({ name = '' }) => name);
  return [
    ...repeated(addresses).map((index) => `${path}.hostAliases[${index}].ip: duplicate ip ${JSON.stringify(addresses[index])}`),
    ...repeated(secrets).map((index) => `${path}.imagePullSecrets[${index}].name: duplicate name ${JSON.stringify(secrets[index])}`),
    ...secrets.flatMap((name, index) => (name === '' ? [`${path}.imagePullSecrets[${index}].name: invalid empty name ""`] : [])),
    ...byteWarnings(overhead, `${path}.overhead`),
  ];
}

/** Where a text occurs that has occurred before. */
function repeated(texts: readonly string[]): readonly number[] {
  return texts.flatMap((text, index) => (texts.indexOf(text) < index ? [index] : []));
}

function byteWarnings(amounts: Readonly<Record<string, string>> | undefined, path: string, names = ['memory', 'ephemeral-storage']): readonly string[] {
  return names.flatMap((name) => {
    const amount = amounts?.[name];
    const isWhole = amount === undefined || amountOf(amount).milliValue() % 1000n === 0n;
    return isWhole ? [] : [`${path}[${name}]: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`];
  });
}

/** A claim whose storage is no whole number of bytes (GetWarningsForPersistentVolumeClaimSpec). */
export function claimWarnings({ resources }: PersistentVolumeClaimSpec, path: string): readonly string[] {
  const of = (member: 'requests' | 'limits'): readonly string[] => byteWarnings(resources?.[member], `${path}.resources.${member}`, ['storage']);
  return [...of('requests'), ...of('limits')];
}

function containerWarnings(
  { name, resources, env = [], securityContext }: Located[0],
  path: string,
  { annotations = {} }: ObjectMeta,
  at: string,
): readonly string[] {
  const key = SECCOMP_OF_CONTAINER + name;
  const seccomp = securityContext?.seccompProfile === undefined && annotations[key] !== undefined ? [seccompWarning(at, key)] : [];
  const bytes = (['memory', 'ephemeral-storage'] as const).flatMap((resource) =>
    (['limits', 'requests'] as const).flatMap((member) => byteWarnings(resources?.[member], `${path}.resources.${member}`, [resource])),
  );
  return [
    ...seccomp,
    ...bytes,
    ...env.flatMap((variable, index) => (hides(env.slice(0, index), variable) ? [hidingWarning(variable, `${path}.env[${index}]`)] : [])),
  ];
}

/** A variable that is set again without a trace of its first value. */
function hides(before: readonly EnvVar[], { name, value = '', valueFrom }: EnvVar): boolean {
  const reference = `$(${name})`;
  return before.some((other) => other.name === name) && (valueFrom !== undefined || value === reference || !value.includes(reference));
}

function hidingWarning({ name }: EnvVar, path: string): string {
  return `${path}: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`;
}

function portWarnings(containers: readonly Located[]): readonly string[] {
  const ports = containers.flatMap(([{ ports: own = [] }, path]) => own.map((port, index) => ({ port, at: `${path}.ports[${index}]` })));
  const clashes = ports.flatMap(({ port, at }, index) => {
    const others = ports.slice(0, index).filter((other) => other.port.containerPort === port.containerPort && other.port.protocol === port.protocol);
    const unused = (port.hostIP ?? '') !== '' && (port.hostPort ?? 0) === 0 ? [`${at}: hostIP set without hostPort: ${goPort(port)}`] : [];
    return [...unused, ...others.flatMap((other) => clashOf(port, other.port, `definition with ${other.at}`).map((clash) => `${at}: ${clash}`))];
  });
  const names = ports.flatMap(({ port: { name = '' }, at }, index) => {
    const first = name === '' ? undefined : ports.slice(0, index).find((other) => other.port.name === name);
    if (first === undefined) return [];
    return [`${at}: duplicate port name ${JSON.stringify(name)} with ${first.at}, services and probes that select ports by name will use ${first.at}`];
  });
  return [...clashes, ...names];
}

/** What two ports of one number and protocol make of each other. */
function clashOf(a: ContainerPort, b: ContainerPort, which: string): readonly string[] {
  const [hostA, hostB, ipA, ipB] = [a.hostPort ?? 0, b.hostPort ?? 0, a.hostIP ?? '', b.hostIP ?? ''];
  if (ipA === ipB && hostA === hostB) return [`duplicate port ${which}`];
  if (hostA === 0 || hostB === 0) return [`overlapping port ${which}`];
  return hostA === hostB && (ipA === '') !== (ipB === '') ? [`dangerously ambiguous port ${which}`] : [];
}

function goPort({ name = '', hostPort = 0, containerPort, protocol, hostIP = '' }: ContainerPort): string {
  return `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol ?? ''} HostIP:${hostIP}}`;
}

function termWarnings({ terminationGracePeriodSeconds: grace = 0, affinity }: PodSpec, path: string): readonly string[] {
  const warnings = grace < 0 ? [`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`] : [];
  for (const member of ['podAffinity', 'podAntiAffinity'] as const) {
    const { requiredDuringSchedulingIgnoredDuringExecution: required = [], preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } =
      affinity?.[member] ?? {};
    const at = `${path}.affinity.${member}`;
    required.forEach((term, index) => warnings.push(...unselective(term, `${at}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`)));
    preferred.forEach(({ podAffinityTerm }, index) =>
      warnings.push(...unselective(podAffinityTerm, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm`)),
    );
  }
  return warnings;
}

function unselective({ labelSelector }: PodAffinityTerm, path: string): readonly string[] {
  return labelSelector === undefined ? [`${path}.labelSelector: a null labelSelector results in matching no pod`] : [];
}
