/** Defaults of Pod that the schema does not tell (core/v1 SetDefaults_PodSpec, _Container, _Probe and their kin). */
import type { ApiObject } from '#machinery';
import type { Container, ContainerPort, Pod, PodSpec, Probe, ResourceRequirements, Volume } from '../types/core-v1.ts';

/** Upstream's DefaultTerminationGracePeriodSeconds. */
const TERMINATION_GRACE_PERIOD_SECONDS = 30;

/** A pod with upstream's defaults: restart and DNS policy, grace, scheduler, container paths, probes, volumes. */
export function defaultPod(object: ApiObject): ApiObject {
  const pod = object as Pod;
  return pod.spec === undefined ? pod : ({ ...pod, spec: defaultPodSpec(pod.spec) } as ApiObject);
}

/** Defaults of a pod spec; also those of pod templates. */
export function defaultPodSpec(spec: PodSpec): PodSpec {
  const host = spec.hostNetwork === true;
  return {
    ...spec,
    dnsPolicy: spec.dnsPolicy ?? 'ClusterFirst',
    enableServiceLinks: spec.enableServiceLinks ?? true,
    restartPolicy: spec.restartPolicy ?? 'Always',
    schedulerName: spec.schedulerName ?? 'default-scheduler',
    securityContext: spec.securityContext ?? {},
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? TERMINATION_GRACE_PERIOD_SECONDS,
    containers: (spec.containers ?? []).map((container) => defaultContainer(container, host)),
    ...(spec.initContainers !== undefined && { initContainers: spec.initContainers.map((container) => defaultContainer(container, host)) }),
    ...(spec.serviceAccountName !== undefined && spec.serviceAccount === undefined && { serviceAccount: spec.serviceAccountName }),
    ...(spec.serviceAccount !== undefined && spec.serviceAccountName === undefined && { serviceAccountName: spec.serviceAccount }),
    ...(spec.volumes !== undefined && { volumes: spec.volumes.map(defaultVolume) }),
  };
}

function defaultContainer(container: Container, hostNetwork: boolean): Container {
  return {
    ...container,
    imagePullPolicy: container.imagePullPolicy ?? pullPolicyOf(container.image ?? ''),
    terminationMessagePath: container.terminationMessagePath || '/dev/termination-log',
    terminationMessagePolicy: container.terminationMessagePolicy ?? 'File',
    resources: defaultResources(container.resources ?? {}),
    ...(container.ports !== undefined && { ports: container.ports.map((port) => defaultPort(port, hostNetwork)) }),
    ...(container.livenessProbe !== undefined && { livenessProbe: defaultProbe(container.livenessProbe) }),
    ...(container.readinessProbe !== undefined && { readinessProbe: defaultProbe(container.readinessProbe) }),
    ...(container.startupProbe !== undefined && { startupProbe: defaultProbe(container.startupProbe) }),
  };
}

/** Always for `latest` and untagged images, otherwise IfNotPresent; a digest pins the image. */
function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1] ?? 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/** A limit without a request is also the request. */
function defaultResources(resources: ResourceRequirements): ResourceRequirements {
  if (resources.limits === undefined) return resources;
  return { ...resources, requests: { ...resources.limits, ...resources.requests } };
}

function defaultPort(port: ContainerPort, hostNetwork: boolean): ContainerPort {
  return { ...port, protocol: port.protocol ?? 'TCP', ...(hostNetwork && !port.hostPort && { hostPort: port.containerPort }) };
}

function defaultProbe(probe: Probe): Probe {
  return {
    ...probe,
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
    ...(probe.httpGet !== undefined && {
      httpGet: { ...probe.httpGet, path: probe.httpGet.path || '/', scheme: probe.httpGet.scheme ?? 'HTTP' },
    }),
    ...(probe.grpc !== undefined && { grpc: { ...probe.grpc, service: probe.grpc.service ?? '' } }),
  };
}

/** Upstream's default mode of files from secrets, config maps and projections: 0644. */
const FILE_MODE = 0o644;

function defaultVolume(volume: Volume): Volume {
  return {
    ...volume,
    ...(volume.secret !== undefined && { secret: { ...volume.secret, defaultMode: volume.secret.defaultMode ?? FILE_MODE } }),
    ...(volume.configMap !== undefined && { configMap: { ...volume.configMap, defaultMode: volume.configMap.defaultMode ?? FILE_MODE } }),
    ...(volume.projected !== undefined && { projected: { ...volume.projected, defaultMode: volume.projected.defaultMode ?? FILE_MODE } }),
    ...(volume.hostPath !== undefined && { hostPath: { ...volume.hostPath, type: volume.hostPath.type ?? '' } }),
  };
}
