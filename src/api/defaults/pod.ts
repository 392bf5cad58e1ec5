/** Defaults of Pod that the schema does not tell (core/v1 SetDefaults_PodSpec, _Container, _Probe and their kin). */
import type { ApiObject } from '#machinery';
import type { Container, ContainerPort, Pod, PodSpec, PodTemplateSpec, Probe, ResourceRequirements, Volume } from '../types/core-v1.ts';

/** Upstream's DefaultTerminationGracePeriodSeconds. */
const TERMINATION_GRACE_PERIOD_SECONDS = 30;

/** A pod with upstream's defaults: restart and DNS policy, grace, scheduler, container paths, probes, volumes. */
export function defaultPod(object: ApiObject): ApiObject {
  const pod = object as Pod;
  if (pod.spec === undefined) return pod;
  const spec = defaultPodSpec(pod.spec);
  const whole: PodSpec = {
    ...spec,
    enableServiceLinks: spec.enableServiceLinks ?? true,
    containers: spec.containers.map((container) => runnable(container, spec.hostNetwork === true)),
    ...(spec.initContainers !== undefined && { initContainers: spec.initContainers.map((container) => runnable(container, spec.hostNetwork === true)) }),
  };
  return { ...pod, spec: whole } as ApiObject;
}

/** What a pod's containers get and those of a template do not: requests out of limits, host ports on the host's network. */
function runnable(container: Container, hostNetwork: boolean): Container {
  const ports = hostNetwork ? container.ports?.map((port) => ({ ...port, hostPort: port.hostPort || port.containerPort })) : container.ports;
  return { ...container, resources: defaultResources(container.resources ?? {}), ...(ports !== undefined && { ports }) };
}

/** A template with the defaults of its spec. */
export function defaultTemplate(template: PodTemplateSpec): PodTemplateSpec {
  return template.spec === undefined ? template : { ...template, spec: defaultPodSpec(template.spec) };
}

/** Defaults of a pod spec, in a pod as well as in a template. */
function defaultPodSpec(spec: PodSpec): PodSpec {
  return {
    ...spec,
    dnsPolicy: spec.dnsPolicy ?? 'ClusterFirst',
    restartPolicy: spec.restartPolicy ?? 'Always',
    schedulerName: spec.schedulerName ?? 'default-scheduler',
    securityContext: spec.securityContext ?? {},
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? TERMINATION_GRACE_PERIOD_SECONDS,
    containers: (spec.containers ?? []).map((container) => defaultContainer(container)),
    ...(spec.initContainers !== undefined && { initContainers: spec.initContainers.map((container) => defaultContainer(container)) }),
    ...(spec.serviceAccountName !== undefined && spec.serviceAccount === undefined && { serviceAccount: spec.serviceAccountName }),
    ...(spec.serviceAccount !== undefined && spec.serviceAccountName === undefined && { serviceAccountName: spec.serviceAccount }),
    ...(spec.volumes !== undefined && { volumes: spec.volumes.map(defaultVolume) }),
  };
}

function defaultContainer(container: Container): Container {
  return {
    ...container,
    imagePullPolicy: container.imagePullPolicy ?? pullPolicyOf(container.image ?? ''),
    terminationMessagePath: container.terminationMessagePath || '/dev/termination-log',
    terminationMessagePolicy: container.terminationMessagePolicy ?? 'File',
    resources: container.resources ?? {},
    ...(container.ports !== undefined && { ports: container.ports.map(defaultPort) }),
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

function defaultPort(port: ContainerPort): ContainerPort {
  return { ...port, protocol: port.protocol ?? 'TCP' };
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
