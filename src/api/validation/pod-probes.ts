/** Validation of what runs in a container or asks it: probes and lifecycle hooks (core/validation, validateProbe and validateHandler). */
import type { Container, HTTPGetAction, Lifecycle, Probe, SleepAction } from '../types/core-v1.ts';
import { checkPort, headerNameProblems } from './pod-names.ts';
import type { FieldErrors } from './report.ts';

const SCHEMES = ['HTTP', 'HTTPS'];
const COUNTS = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const;

/** The ways in which something can be run or asked; at most one of them is set. */
interface Handler {
  readonly exec?: Probe['exec'];
  readonly httpGet?: Probe['httpGet'];
  readonly tcpSocket?: Probe['tcpSocket'];
  readonly grpc?: Probe['grpc'];
  readonly sleep?: SleepAction | undefined;
}
type Way = keyof Handler;

const WAYS: { readonly [W in Way]?: (errors: FieldErrors, path: string, action: NonNullable<Handler[W]>, gracePeriod: number | undefined) => void } = {
  exec: (errors, path, { command = [] }) => {
    if (command.length === 0) errors.required(`${path}.command`);
  },
  httpGet: checkHttpGet,
  tcpSocket: (errors, path, { port }) => checkPort(errors, `${path}.port`, port),
  grpc: (errors, path, { port }) => checkPort(errors, `${path}.port`, port),
  sleep: (errors, path, { seconds }, gracePeriod) => {
    if (gracePeriod !== undefined && (seconds < 0 || seconds > gracePeriod))
      errors.invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`);
  },
};

function checkHttpGet(errors: FieldErrors, path: string, { path: target = '', port, scheme, httpHeaders = [] }: HTTPGetAction): void {
  if (target === '') errors.required(`${path}.path`);
  checkPort(errors, `${path}.port`, port);
  if (!SCHEMES.includes(scheme ?? '')) errors.notSupported(`${path}.scheme`, scheme ?? '', SCHEMES);
  for (const { name } of httpHeaders) errors.invalidAll(`${path}.httpHeaders`, name, headerNameProblems(name));
}

function checkWay<W extends Way>(
  errors: FieldErrors,
  { path, way, handler }: { path: string; way: W; handler: Handler },
  gracePeriod: number | undefined,
): void {
  const action = handler[way];
  if (action !== undefined) WAYS[way]?.(errors, `${path}.${way}`, action, gracePeriod);
}

function checkHandler(errors: FieldErrors, path: string, handler: Handler, gracePeriod: number | undefined): void {
  const [first, ...others] = (['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const).filter((way) => handler[way] !== undefined);
  if (first === undefined) return errors.required(path, 'must specify a handler type');
  checkWay(errors, { path, way: first, handler }, gracePeriod);
  for (const way of others) errors.forbidden(`${path}.${way}`, 'may not specify more than 1 handler type');
}

function checkProbe(errors: FieldErrors, path: string, probe: Probe): void {
  checkHandler(errors, path, probe, undefined);
  for (const member of COUNTS) {
    const count = probe[member] ?? 0;
    if (count < 0) errors.invalid(`${path}.${member}`, count, 'must be greater than or equal to 0');
  }
  const { terminationGracePeriodSeconds: grace } = probe;
  if (grace !== undefined && grace <= 0) errors.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0');
}

/** The three probes of a container that runs beside others. */
export function checkProbes(errors: FieldErrors, path: string, container: Container): void {
  for (const member of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[member];
    if (probe === undefined) continue;
    const at = `${path}.${member}`;
    checkProbe(errors, at, probe);
    if (member === 'readinessProbe') {
      if (probe.terminationGracePeriodSeconds !== undefined)
        errors.invalid(`${at}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds, 'must not be set for readinessProbes');
    } else if (probe.successThreshold !== 1) errors.invalid(`${at}.successThreshold`, probe.successThreshold ?? 0, 'must be 1');
  }
}

/** What runs after a container has started and before it stops. */
export function checkLifecycle(errors: FieldErrors, path: string, { postStart, preStop }: Lifecycle, gracePeriod: number | undefined): void {
  if (postStart !== undefined) checkHandler(errors, `${path}.postStart`, postStart, gracePeriod);
  if (preStop !== undefined) checkHandler(errors, `${path}.preStop`, preStop, gracePeriod);
}
