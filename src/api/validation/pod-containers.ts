/** Validation of a pod's containers of all sorts (core/validation validateContainers, validateInitContainers, validateEphemeralContainers). */
import type { Container, ContainerPort, ContainerResizePolicy, ContainerRestartRule, EphemeralContainer, PodSpec, Volume } from '../types/core-v1.ts';
import { dnsLabelProblems } from './names.ts';
import { checkEnvironment, checkEnvironmentSources } from './pod-env.ts';
import { portNameProblems, portNumberProblems } from './pod-names.ts';
import { checkLifecycle, checkProbes } from './pod-probes.ts';
import { checkContainerClaims, checkRequirements } from './pod-resources.ts';
import { checkContainerSecurity } from './pod-security.ts';
import { checkMounts, checkPullPolicy } from './pod-volumes.ts';
import type { FieldErrors } from './report.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const TERMINATION_POLICIES = ['File', 'FallbackToLogsOnError'];
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure'];
const RESTART_ACTIONS = ['Restart'];
const RESTART_OPERATORS = ['In', 'NotIn'];
const RESTART_RULES_MAX = 20;
const EXIT_CODES_MAX = 255;
const RESIZED = ['cpu', 'memory'];
const RESIZE_POLICIES = ['NotRequired', 'RestartContainer'];

/** What containers share with the pod that holds them. */
export interface ContainerSurroundings {
  readonly spec: PodSpec;
  readonly volumes: ReadonlyMap<string, Volume>;
  /** Names of the pod's claims. */
  readonly claims: ReadonlySet<string>;
  readonly allowPrivileged: boolean;
}

/** All containers below `path`, the path of the pod's spec. */
export function checkContainers(errors: FieldErrors, path: string, around: ContainerSurroundings): void {
  const { containers, initContainers = [], ephemeralContainers = [] } = around.spec;
  checkRegular(errors, `${path}.containers`, containers, around);
  const names = new Set(containers.map(({ name }) => name));
  initContainers.forEach((container, index) => {
    checkInitContainer(errors, `${path}.initContainers[${index}]`, container, around);
    checkName(errors, `${path}.initContainers[${index}].name`, container.name, names);
    // One runs after the other: each has the host's ports for itself. Upstream counts them all as the first.
    checkHostPorts(errors, `${path}.initContainers`, [container]);
  });
  ephemeralContainers.forEach((container, index) => checkEphemeral(errors, `${path}.ephemeralContainers[${index}]`, container, { around, names }));
}

function checkRegular(errors: FieldErrors, path: string, containers: readonly Container[], around: ContainerSurroundings): void {
  if (containers.length === 0) return errors.required(path);
  const names = new Set<string>();
  containers.forEach((container, index) => {
    const at = `${path}[${index}]`;
    checkCommon(errors, at, container, around);
    checkName(errors, `${at}.name`, container.name, names);
    checkHooks(errors, at, container, around);
    checkRestart(errors, at, container);
  });
  checkHostPorts(errors, path, containers);
}

function checkName(errors: FieldErrors, path: string, name: string, names: Set<string>): void {
  if (names.has(name)) errors.duplicate(path, name);
  names.add(name);
}

function checkHooks(errors: FieldErrors, path: string, container: Container, { spec }: ContainerSurroundings): void {
  if (container.lifecycle !== undefined) checkLifecycle(errors, `${path}.lifecycle`, container.lifecycle, spec.terminationGracePeriodSeconds);
  checkProbes(errors, path, container);
}

function checkInitContainer(errors: FieldErrors, path: string, container: Container, around: ContainerSurroundings): void {
  checkCommon(errors, path, container, around);
  checkRestart(errors, path, container);
  if (container.restartPolicy === 'Always') return checkHooks(errors, path, container, around);
  for (const member of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    if (container[member] !== undefined) errors.forbidden(`${path}.${member}`, 'may not be set for init containers without restartPolicy=Always');
  }
  container.resizePolicy?.forEach(({ restartPolicy }, index) => {
    if (restartPolicy === 'RestartContainer')
      errors.invalid(`${path}.resizePolicy[${index}].restartPolicy`, restartPolicy, "must not be set to 'RestartContainer' for non-sidecar initContainers");
  });
}

/** When a container of its own policy is started again. */
function checkRestart(errors: FieldErrors, path: string, { restartPolicy, restartPolicyRules: rules = [] }: Container): void {
  if (restartPolicy === undefined) {
    if (rules.length > 0) errors.required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used');
  } else if (!RESTART_POLICIES.includes(restartPolicy)) errors.notSupported(`${path}.restartPolicy`, restartPolicy, RESTART_POLICIES);
  else if (restartPolicy === 'Always' && path.includes('.initContainers[')) {
    if (rules.length > 0) errors.forbidden(`${path}.restartPolicyRules`, 'restartPolicyRules are not allowed for init containers with restart policy Always');
    return;
  }
  if (rules.length > RESTART_RULES_MAX) errors.tooMany(`${path}.restartPolicyRules`, rules.length, RESTART_RULES_MAX);
  rules.forEach((rule, index) => checkRestartRule(errors, `${path}.restartPolicyRules[${index}]`, rule));
}

function checkRestartRule(errors: FieldErrors, path: string, { action, exitCodes }: ContainerRestartRule): void {
  if (!RESTART_ACTIONS.includes(action)) errors.notSupported(`${path}.action`, action, RESTART_ACTIONS);
  if (exitCodes === undefined) return errors.required(`${path}.exitCodes`, 'must be specified');
  const { operator, values = [] } = exitCodes;
  if (!RESTART_OPERATORS.includes(operator)) errors.notSupported(`${path}.exitCodes.operator`, operator, RESTART_OPERATORS);
  if (values.length > EXIT_CODES_MAX) errors.tooMany(`${path}.exitCodes.values`, values.length, EXIT_CODES_MAX);
}

/** Rules of every sort of container. */
function checkCommon(errors: FieldErrors, path: string, container: Container, around: ContainerSurroundings): void {
  const { spec, volumes, claims, allowPrivileged } = around;
  const { name, image = '', terminationMessagePolicy = '', securityContext } = container;
  if (name === '') errors.required(`${path}.name`);
  else errors.invalidAll(`${path}.name`, name, dnsLabelProblems(name));
  if (image === '') errors.required(`${path}.image`);
  if (terminationMessagePolicy === '') errors.required(`${path}.terminationMessagePolicy`);
  else if (!TERMINATION_POLICIES.includes(terminationMessagePolicy))
    errors.notSupported(`${path}.terminationMessagePolicy`, terminationMessagePolicy, TERMINATION_POLICIES);
  checkPorts(errors, `${path}.ports`, container.ports ?? []);
  checkEnvironment(errors, `${path}.env`, container.env ?? []);
  checkEnvironmentSources(errors, `${path}.envFrom`, container.envFrom ?? []);
  checkMounts(errors, path, container, volumes);
  checkPullPolicy(errors, `${path}.imagePullPolicy`, container.imagePullPolicy ?? '');
  checkRequirements(errors, `${path}.resources`, container.resources ?? {});
  checkContainerClaims(errors, `${path}.resources.claims`, container.resources?.claims ?? [], claims);
  checkResize(errors, `${path}.resizePolicy`, container.resizePolicy ?? [], spec.restartPolicy);
  if (securityContext === undefined) return;
  checkContainerSecurity(errors, `${path}.securityContext`, securityContext, { hostUsers: spec.hostUsers !== false, allowPrivileged });
}

function checkResize(errors: FieldErrors, path: string, policies: readonly ContainerResizePolicy[], podPolicy: string | undefined): void {
  const names = new Set<string>();
  policies.forEach(({ resourceName, restartPolicy }, index) => {
    if (names.has(resourceName)) errors.duplicate(`${path}[${index}]`, resourceName);
    names.add(resourceName);
    if (resourceName === '') errors.required(path);
    else if (!RESIZED.includes(resourceName)) errors.notSupported(path, resourceName, RESIZED);
    if (restartPolicy === '') errors.required(path);
    else if (!RESIZE_POLICIES.includes(restartPolicy)) errors.notSupported(path, restartPolicy, RESIZE_POLICIES);
    if (podPolicy === 'Never' && restartPolicy !== 'NotRequired')
      errors.invalid(path, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
  });
}

function checkPorts(errors: FieldErrors, path: string, ports: readonly ContainerPort[]): void {
  const names = new Set<string>();
  ports.forEach(({ name = '', containerPort, hostPort = 0, protocol = '' }, index) => {
    const at = `${path}[${index}]`;
    if (name !== '') {
      const problems = portNameProblems(name);
      if (problems.length > 0) errors.invalidAll(`${at}.name`, name, problems);
      else if (names.has(name)) errors.duplicate(`${at}.name`, name);
      else names.add(name);
    }
    if (containerPort === 0) errors.required(`${at}.containerPort`);
    else errors.invalidAll(`${at}.containerPort`, containerPort, portNumberProblems(containerPort));
    if (hostPort !== 0) errors.invalidAll(`${at}.hostPort`, hostPort, portNumberProblems(hostPort));
    if (protocol === '') errors.required(`${at}.protocol`);
    else if (!PROTOCOLS.includes(protocol)) errors.notSupported(`${at}.protocol`, protocol, PROTOCOLS);
  });
}

/** A port of the host can be taken once. */
function checkHostPorts(errors: FieldErrors, path: string, containers: readonly Container[]): void {
  const taken = new Set<string>();
  containers.forEach(({ ports = [] }, at) => {
    ports.forEach(({ hostPort = 0, hostIP = '', protocol = '' }, index) => {
      if (hostPort === 0) return;
      const place = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(place)) errors.duplicate(`${path}[${at}].ports[${index}].hostPort`, place);
      taken.add(place);
    });
  });
}

/** What an ephemeral container may not have. */
const NOT_EPHEMERAL = ['ports', 'resources', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'resizePolicy', 'restartPolicy'] as const;
const EPHEMERAL_TEXT = 'cannot be set for an Ephemeral Container';

function checkEphemeral(
  errors: FieldErrors,
  path: string,
  container: EphemeralContainer,
  { around, names }: { readonly around: ContainerSurroundings; readonly names: Set<string> },
): void {
  const lasting = new Set([...around.spec.containers, ...(around.spec.initContainers ?? [])].map(({ name }) => name));
  checkCommon(errors, path, container, around);
  checkImageText(errors, path, container);
  checkName(errors, `${path}.name`, container.name, names);
  const { targetContainerName: target = '' } = container;
  if (target !== '' && !lasting.has(target)) errors.notFound(`${path}.targetContainerName`, target);
  for (const member of NOT_EPHEMERAL) {
    const value: unknown = container[member];
    const empty = value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
    if (!empty) errors.forbidden(`${path}.${member}`, EPHEMERAL_TEXT);
  }
  container.volumeMounts?.forEach(({ subPath = '', subPathExpr = '' }, index) => {
    if (subPath !== '') errors.forbidden(`${path}.volumeMounts[${index}].subPath`, EPHEMERAL_TEXT);
    if (subPathExpr !== '') errors.forbidden(`${path}.volumeMounts[${index}].subPathExpr`, EPHEMERAL_TEXT);
  });
}

/** An image's name in a pod, unlike in a template, has no spaces around it. */
export function checkImageText(errors: FieldErrors, path: string, { image = '' }: Pick<Container, 'image'>): void {
  if (image.trim() !== image) errors.invalid(`${path}.image`, image, 'must not have leading or trailing whitespace');
}
