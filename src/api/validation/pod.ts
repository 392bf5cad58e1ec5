/** Validation of new pods and of the pod specs in templates (core/validation ValidatePodSpec). */
import { goStruct } from './go-struct.ts';
import type { ApiObject } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import type { HostAlias, Pod, PodDNSConfig, PodResourceClaim, PodSchedulingGate, PodSpec } from '../types/core-v1.ts';
import { checkLabel } from './dra-names.ts';
import { checkLabels } from './metadata.ts';
import { dnsLabelProblems, dnsSubdomainProblems, labelKeyProblems } from './names.ts';
import { checkContainers, checkImageText } from './pod-containers.ts';
import { checkAddress, inclusiveRange } from './pod-names.ts';
import { checkAffinity, checkSpreading, checkTolerations } from './pod-placement.ts';
import { checkPodResources } from './pod-resources.ts';
import { checkPodSecurity } from './pod-security.ts';
import { checkVolumes } from './pod-volumes.ts';
import { FieldErrors } from './report.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never'];
const SYSTEMS = ['linux', 'windows'];
const INT32_MAX = 2 ** 31 - 1;
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCHES_MAX_LENGTH = 2048;

/** A new pod. */
export function validatePod(object: ApiObject, context: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  const { spec } = object as Pod;
  if (spec === undefined) errors.required('spec.containers');
  else {
    checkPod(errors, spec, surroundings(object, context));
    if ((spec.ephemeralContainers ?? []).length > 0) errors.forbidden('spec.ephemeralContainers', 'cannot be set on create');
    if ((spec.nodeName ?? '') !== '' && (spec.schedulingGates ?? []).length > 0)
      errors.forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared');
  }
  const isMirror = object.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined;
  // The path is upstream's.
  if (isMirror && (spec?.resourceClaims?.length ?? 0) > 0) errors.forbidden('[]', 'static pods do not support resource claims');
  return errors.list;
}

/** Marks pods that a kubelet shows for its static pods (core MirrorPodAnnotationKey). */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** What a spec is judged by besides itself. */
export interface PodSurroundings {
  /** Of the pod, "" where there is no pod yet. */
  readonly name: string;
  readonly allowPrivileged: boolean;
}

/** The surroundings of a pod's own spec. */
export function surroundings({ metadata }: ApiObject, { allowPrivileged = false }: StrategyContext): PodSurroundings {
  return { name: metadata.name ?? '', allowPrivileged };
}

/** The spec of a pod, with what is asked of pods only and not of templates. */
export function checkPod(errors: FieldErrors, spec: PodSpec, pod: PodSurroundings): void {
  checkPodSpec(errors, 'spec', spec, pod);
  if ((spec.serviceAccountName ?? '') === '') {
    spec.volumes?.forEach(({ projected }, index) => {
      projected?.sources?.forEach(({ serviceAccountToken }, source) => {
        if (serviceAccountToken !== undefined) {
          const path = `spec.volumes[${index}].projected.sources[${source}].serviceAccountToken`;
          errors.forbidden(path, 'must not be specified when serviceAccountName is not set');
        }
      });
    });
  }
  for (const member of ['containers', 'initContainers'] as const) {
    spec[member]?.forEach((container, index) => checkImageText(errors, `spec.${member}[${index}]`, container));
  }
}

/** A pod spec at `path`, of a pod or a template. */
export function checkPodSpec(errors: FieldErrors, path: string, spec: PodSpec, { name: podName, allowPrivileged }: PodSurroundings): void {
  const volumes = checkVolumes(errors, `${path}.volumes`, spec.volumes ?? [], podName);
  const claims = spec.resourceClaims ?? [];
  checkPodClaims(errors, `${path}.resourceClaims`, claims);
  checkContainers(errors, path, { spec, volumes, claims: new Set(claims.map(({ name }) => name)), allowPrivileged });
  checkPodResources(errors, `${path}.resources`, spec);
  checkHostNetwork(errors, `${path}.containers`, spec);
  checkChoice(errors, `${path}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES);
  checkChoice(errors, `${path}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES);
  checkLabels(errors, `${path}.nodeSelector`, spec.nodeSelector);
  checkPodSecurity(errors, `${path}.securityContext`, spec);
  if (spec.affinity !== undefined) checkAffinity(errors, `${path}.affinity`, spec.affinity);
  checkDns(errors, `${path}.dnsConfig`, spec);
  spec.readinessGates?.forEach(({ conditionType }, index) => {
    errors.invalidAll(`${path}.readinessGates[${index}].conditionType`, conditionType, labelKeyProblems(conditionType));
  });
  checkSchedulingGates(errors, `${path}.schedulingGates`, spec.schedulingGates ?? []);
  checkSpreading(errors, `${path}.topologySpreadConstraints`, spec.topologySpreadConstraints ?? []);
  checkNames(errors, path, spec);
  checkDeadline(errors, `${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds);
  checkTolerations(errors, `${path}.tolerations`, spec.tolerations ?? []);
  checkHostAliases(errors, `${path}.hostAliases`, spec.hostAliases ?? []);
  checkLateNames(errors, path, spec);
}

function checkChoice(errors: FieldErrors, path: string, value: string | undefined, choices: readonly string[]): void {
  if ((value ?? '') === '') errors.required(path);
  else if (!choices.includes(value ?? '')) errors.notSupported(path, value, choices);
}

/** Names that upstream checks before the rest, each with the rule of what it names. */
function checkNames(errors: FieldErrors, path: string, spec: PodSpec): void {
  const { serviceAccountName = '', nodeName = '', hostname = '', subdomain = '' } = spec;
  if (serviceAccountName !== '') errors.invalidAll(`${path}.serviceAccountName`, serviceAccountName, dnsSubdomainProblems(serviceAccountName));
  if (nodeName !== '') errors.invalidAll(`${path}.nodeName`, nodeName, dnsSubdomainProblems(nodeName));
  if (hostname !== '') errors.invalidAll(`${path}.hostname`, hostname, dnsLabelProblems(hostname));
  if (subdomain !== '') errors.invalidAll(`${path}.subdomain`, subdomain, dnsLabelProblems(subdomain));
}

function checkLateNames(errors: FieldErrors, path: string, spec: PodSpec): void {
  const { priorityClassName = '', runtimeClassName, preemptionPolicy, os } = spec;
  if (priorityClassName !== '') errors.invalidAll(`${path}.priorityClassName`, priorityClassName, dnsSubdomainProblems(priorityClassName));
  if (runtimeClassName !== undefined) errors.invalidAll(`${path}.runtimeClassName`, runtimeClassName, dnsSubdomainProblems(runtimeClassName));
  if (preemptionPolicy !== undefined) checkChoice(errors, `${path}.preemptionPolicy`, preemptionPolicy, PREEMPTION_POLICIES);
  if (os === undefined) return;
  if (os.name === '') errors.required(`${path}.os.name`);
  else if (!SYSTEMS.includes(os.name)) errors.notSupported(`${path}.os`, os.name, SYSTEMS);
}

function checkDeadline(errors: FieldErrors, path: string, seconds: number | undefined): void {
  if (seconds !== undefined && (seconds < 1 || seconds > INT32_MAX)) errors.invalid(path, seconds, inclusiveRange(1, INT32_MAX));
}

function checkHostNetwork(errors: FieldErrors, path: string, { hostNetwork, containers }: PodSpec): void {
  if (hostNetwork !== true) return;
  containers.forEach(({ ports = [] }, at) => {
    ports.forEach(({ hostPort = 0, containerPort }, index) => {
      if (hostPort !== 0 && hostPort !== containerPort)
        errors.invalid(`${path}[${at}].ports[${index}].hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true');
    });
  });
}

function checkDns(errors: FieldErrors, path: string, { dnsPolicy, dnsConfig }: PodSpec): void {
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) return errors.required(path, 'must provide `dnsConfig` when `dnsPolicy` is None');
    if ((dnsConfig.nameservers ?? []).length === 0)
      return errors.required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None');
  }
  if (dnsConfig !== undefined) checkDnsConfig(errors, path, dnsConfig);
}

function checkDnsConfig(errors: FieldErrors, path: string, { nameservers = [], searches = [], options = [] }: PodDNSConfig): void {
  if (nameservers.length > NAMESERVERS_MAX) errors.invalid(`${path}.nameservers`, nameservers, `must not have more than ${NAMESERVERS_MAX} nameservers`);
  nameservers.forEach((address, index) => checkAddress(errors, `${path}.nameservers[${index}]`, address));
  if (searches.length > SEARCHES_MAX) errors.invalid(`${path}.searches`, searches, `must not have more than ${SEARCHES_MAX} search paths`);
  if (searches.join(' ').length > SEARCHES_MAX_LENGTH)
    errors.invalid(`${path}.searches`, searches, `must not have more than ${SEARCHES_MAX_LENGTH} characters (including spaces) in the search list`);
  searches.forEach((search, index) => {
    // Underscores are allowed within names here, and a final dot.
    if (search === '.') return;
    const bare = search.replace(/\.$/, '');
    errors.invalidAll(`${path}.searches[${index}]`, bare, searchProblems(bare));
  });
  options.forEach(({ name = '' }, index) => {
    if (name === '') errors.required(`${path}.options[${index}]`, 'must not be empty');
  });
}

const SEARCH_LABEL = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SEARCH_FORMAT = `${SEARCH_LABEL}(\\.${SEARCH_LABEL})*`;
const SEARCH = new RegExp(`^${SEARCH_FORMAT}$`);

function searchProblems(text: string): readonly string[] {
  const long = dnsSubdomainProblems(text).filter((problem) => problem.startsWith('must be no more'));
  if (SEARCH.test(text)) return long;
  return [
    ...long,
    `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SEARCH_FORMAT}')`,
  ];
}

function checkHostAliases(errors: FieldErrors, path: string, aliases: readonly HostAlias[]): void {
  aliases.forEach(({ ip, hostnames = [] }, index) => {
    checkAddress(errors, `${path}[${index}].ip`, ip);
    hostnames.forEach((name, at) => errors.invalidAll(`${path}[${index}].hostnames[${at}]`, name, dnsSubdomainProblems(name)));
  });
}

function checkSchedulingGates(errors: FieldErrors, path: string, gates: readonly PodSchedulingGate[]): void {
  const names = new Set<string>();
  gates.forEach(({ name }, index) => {
    errors.invalidAll(`${path}[${index}]`, name, labelKeyProblems(name));
    if (names.has(name)) errors.duplicate(`${path}[${index}]`, name);
    names.add(name);
  });
}

function checkPodClaims(errors: FieldErrors, path: string, claims: readonly PodResourceClaim[]): void {
  const names = new Set<string>();
  claims.forEach((claim, index) => {
    const at = `${path}[${index}]`;
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (name === '') errors.required(`${at}.name`);
    else if (names.has(name)) errors.duplicate(`${at}.name`, name);
    else checkLabel(errors, `${at}.name`, name);
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      errors.invalid(
        at,
        goStruct(claim, 'io.k8s.api.core.v1.PodResourceClaim'),
        'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
      );
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      errors.invalid(at, goStruct(claim, 'io.k8s.api.core.v1.PodResourceClaim'), 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`');
    }
    if (resourceClaimName !== undefined) errors.invalidAll(`${at}.resourceClaimName`, resourceClaimName, dnsSubdomainProblems(resourceClaimName));
    if (resourceClaimTemplateName !== undefined) {
      errors.invalidAll(`${at}.resourceClaimTemplateName`, resourceClaimTemplateName, dnsSubdomainProblems(resourceClaimTemplateName));
    }
  });
}
