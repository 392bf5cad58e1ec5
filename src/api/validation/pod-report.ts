/** Validation of what a kubelet reports of a pod: conditions, addresses, states of containers (core/validation ValidatePodStatusUpdate). */
import type { Container, ContainerStatus, Pod, PodSpec, PodStatus } from '../types/core-v1.ts';
import { dnsSubdomainProblems, labelKeyProblems } from './names.ts';
import { addressFamily, checkAddress, checkId } from './pod-names.ts';
import type { FieldErrors } from './report.ts';

const SYSTEM_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized'];
const NOT_NEGATIVE = 'must be a non-negative integer';
const NOT_AGAIN = 'may not be transitioned to non-terminated state';

/** Conditions, nomination and states; addresses and users come after the claims. */
export function checkPodReport(errors: FieldErrors, { status = {} }: Pod, { spec, status: old = {} }: Pod): void {
  status.conditions?.forEach(({ type, observedGeneration = 0 }, index) => {
    const at = `status.conditions[${index}]`;
    if (observedGeneration < 0) errors.invalid(`${at}.observedGeneration`, observedGeneration, NOT_NEGATIVE);
    // The capital is upstream's.
    if (!SYSTEM_CONDITIONS.includes(type)) errors.invalidAll(`${at}.Type`, type, labelKeyProblems(type));
  });
  const { nominatedNodeName = '', observedGeneration = 0 } = status;
  if (nominatedNodeName !== '' && nominatedNodeName !== (old.nominatedNodeName ?? '')) {
    errors.invalidAll('status.nominatedNodeName', nominatedNodeName, dnsSubdomainProblems(nominatedNodeName));
    if ((spec?.nodeName ?? '') !== '') errors.forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node');
  }
  if (observedGeneration < 0) errors.invalid('status.observedGeneration', observedGeneration, NOT_NEGATIVE);
  if (status.qosClass !== old.qosClass) errors.invalid('status.qosClass', status.qosClass ?? '', 'field is immutable');
  if (spec === undefined) return;
  checkStates(errors, 'status.containerStatuses', [status.containerStatuses ?? [], old.containerStatuses ?? []], (state) => restarts(state, spec));
  const isDone = (): boolean => spec.restartPolicy === 'Always';
  checkStates(errors, 'status.initContainerStatuses', [status.initContainerStatuses ?? [], old.initContainerStatuses ?? []], isDone);
}

/** What has ended stays so, unless its policy starts it again. */
function checkStates(
  errors: FieldErrors,
  path: string,
  [statuses, old]: readonly [readonly ContainerStatus[], readonly ContainerStatus[]],
  mayRestart: (ended: ContainerStatus) => boolean,
): void {
  old.forEach((before, index) => {
    if (before.state?.terminated === undefined) return;
    const now = statuses.find(({ name }) => name === before.name);
    if (now !== undefined && now.state?.terminated === undefined && !mayRestart(before)) errors.forbidden(`${path}[${index}].state`, NOT_AGAIN);
  });
}

/** Whether a container is started again after it ended so (podutil.ContainerShouldRestart). */
function restarts({ name, state }: ContainerStatus, spec: PodSpec): boolean {
  const container = spec.containers.find((known) => known.name === name);
  if (container === undefined) return false;
  const exitCode = state?.terminated?.exitCode ?? 0;
  const ruled = restartedByRule(container, exitCode);
  if (ruled) return true;
  const policy = container.restartPolicy ?? spec.restartPolicy;
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

function restartedByRule({ restartPolicyRules = [] }: Container, exitCode: number): boolean {
  return restartPolicyRules.some(({ action, exitCodes }) => {
    const listed = exitCodes?.values?.includes(exitCode) === true;
    return action === 'Restart' && exitCodes !== undefined && (exitCodes.operator === 'In' ? listed : !listed);
  });
}

/** Addresses of the pod and of its node: one of each family at most. */
export function checkAddresses(errors: FieldErrors, { podIPs = [], hostIP, hostIPs = [] }: PodStatus): void {
  checkFamilies(errors, 'status.podIPs', podIPs);
  const [first] = hostIPs;
  if (first !== undefined && first.ip !== (hostIP ?? '')) errors.invalid('status.hostIPs[0].ip', first.ip, 'must be equal to `hostIP`');
  checkFamilies(errors, 'status.hostIPs', hostIPs);
}

function checkFamilies(errors: FieldErrors, path: string, addresses: readonly { readonly ip: string }[]): void {
  addresses.forEach(({ ip }, index) => checkAddress(errors, `${path}[${index}]`, ip));
  if (addresses.length <= 1) return;
  const families = addresses.map(({ ip }) => addressFamily(ip));
  const unreadable = addresses.findIndex((_, index) => families[index] === undefined);
  if (unreadable >= 0) {
    const why = `failed to check for dual stack with error:invalid IP[${unreadable}]: ${addresses[unreadable]?.ip ?? ''}`;
    errors.internal(path, why);
  }
  if (unreadable >= 0 || new Set(families).size < 2 || addresses.length > 2) {
    const shown = addresses.map(({ ip }) => ({ IP: ip }));
    errors.invalid(path, shown, 'may specify no more than one IP for each IP family');
  }
}

const STATUS_LISTS = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;

/** As whom containers run. */
export function checkUsers(errors: FieldErrors, { spec, status }: Pod): void {
  const windows = spec?.os?.name === 'windows';
  for (const list of STATUS_LISTS) {
    status?.[list]?.forEach(({ user }, index) => {
      if (user?.linux === undefined) return;
      const at = `status.${list}[${index}].user.linux`;
      if (windows) return errors.forbidden(at, 'cannot be set for a windows pod');
      checkId(errors, `${at}.uid`, user.linux.uid);
      checkId(errors, `${at}.gid`, user.linux.gid);
      user.linux.supplementalGroups?.forEach((group, at2) => checkId(errors, `${at}.supplementalGroups[${at2}]`, group));
    });
  }
}
