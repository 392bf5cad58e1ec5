/** Validation of what the processes of a pod may do: ids, profiles, kernel settings (core/validation). */
import type { PodSpec, SeccompProfile, SecurityContext, Sysctl } from '../types/core-v1.ts';
import { checkDescendingPath, checkId } from './pod-names.ts';
import type { FieldErrors } from './report.ts';

const SECCOMP_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const GROUP_CHANGE_POLICIES = ['Always', 'OnRootMismatch'];
const GROUPS_POLICIES = ['Merge', 'Strict'];
const PROC_MOUNTS = ['Default', 'Unmasked'];
const SYSCTL_MAX_LENGTH = 253;
const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SYSCTL_FORMAT = `^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`;
const SYSCTL = new RegExp(SYSCTL_FORMAT);

/** The security context of the whole pod. */
export function checkPodSecurity(errors: FieldErrors, path: string, { securityContext: context, shareProcessNamespace, hostPID }: PodSpec): void {
  if (context === undefined) return;
  checkId(errors, `${path}.fsGroup`, context.fsGroup);
  checkId(errors, `${path}.runAsUser`, context.runAsUser);
  checkId(errors, `${path}.runAsGroup`, context.runAsGroup);
  context.supplementalGroups?.forEach((group, index) => checkId(errors, `${path}.supplementalGroups[${index}]`, group));
  if (shareProcessNamespace === true && hostPID === true)
    errors.invalid(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled');
  checkSysctls(errors, `${path}.sysctls`, context.sysctls ?? []);
  const { fsGroupChangePolicy, supplementalGroupsPolicy } = context;
  if (fsGroupChangePolicy !== undefined && !GROUP_CHANGE_POLICIES.includes(fsGroupChangePolicy))
    errors.notSupported(`${path}.fsGroupChangePolicy`, fsGroupChangePolicy, GROUP_CHANGE_POLICIES);
  checkSeccomp(errors, `${path}.seccompProfile`, context.seccompProfile);
  if (supplementalGroupsPolicy !== undefined && !GROUPS_POLICIES.includes(supplementalGroupsPolicy))
    errors.notSupported(`${path}.supplementalGroupsPolicy`, supplementalGroupsPolicy, GROUPS_POLICIES);
}

function checkSysctls(errors: FieldErrors, path: string, sysctls: readonly Sysctl[]): void {
  const names = new Set<string>();
  sysctls.forEach(({ name }, index) => {
    const at = `${path}[${index}].name`;
    if (name === '') errors.required(at);
    else if (name.length > SYSCTL_MAX_LENGTH || !SYSCTL.test(name))
      errors.invalid(at, name, `must have at most ${SYSCTL_MAX_LENGTH} characters and match regex ${SYSCTL_FORMAT}`);
    else if (names.has(name)) errors.duplicate(at, name);
    names.add(name);
  });
}

function checkSeccomp(errors: FieldErrors, path: string, profile: SeccompProfile | undefined): void {
  if (profile === undefined) return;
  const { localhostProfile } = profile;
  const type: string = profile.type;
  if (type === '') errors.required(`${path}.type`, 'type is required when seccompProfile is set');
  else if (!SECCOMP_TYPES.includes(type)) errors.notSupported(`${path}.type`, type, SECCOMP_TYPES);
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined) {
      errors.invalid(`${path}.localhostProfile`, { Type: type, LocalhostProfile: localhostProfile }, 'can only be set when seccomp type is Localhost');
    }
  } else if (localhostProfile === undefined) errors.required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost');
  else checkDescendingPath(errors, `${path}.localhostProfile`, localhostProfile);
}

/** What decides about containers from outside. */
export interface ContainerPolicy {
  /** The pod has no user namespace of its own. */
  readonly hostUsers: boolean;
  readonly allowPrivileged: boolean;
}

/** The security context of one container. */
export function checkContainerSecurity(errors: FieldErrors, path: string, context: SecurityContext, { hostUsers, allowPrivileged }: ContainerPolicy): void {
  if (context.privileged === true && !allowPrivileged) errors.forbidden(`${path}.privileged`, 'disallowed by cluster policy');
  checkId(errors, `${path}.runAsUser`, context.runAsUser);
  checkId(errors, `${path}.runAsGroup`, context.runAsGroup);
  const { procMount, privileged, allowPrivilegeEscalation, capabilities } = context;
  if (procMount !== undefined) {
    if (!PROC_MOUNTS.includes(procMount)) errors.notSupported(`${path}.procMount`, procMount, PROC_MOUNTS);
    if (hostUsers && procMount === 'Unmasked') errors.invalid(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`');
  }
  checkSeccomp(errors, `${path}.seccompProfile`, context.seccompProfile);
  if (allowPrivilegeEscalation !== false) return;
  if (privileged === true) errors.invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true');
  if (capabilities?.add?.includes('CAP_SYS_ADMIN') === true)
    errors.invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN');
}
