/** Defaults of Pod that the schema does not tell (core/v1 SetDefaults_PodSpec, _Container, _Probe and their kin). */
import { type ApiObject, Quantity } from '#machinery';
import type {
  Container,
  ContainerPort,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  EnvVar,
  EphemeralVolumeSource,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  ObjectFieldSelector,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ProjectedVolumeSource,
  ResourceRequirements,
  Volume,
  VolumeProjection,
} from '../types/core-v1.ts';

/** Upstream's DefaultTerminationGracePeriodSeconds. */
const TERMINATION_GRACE_PERIOD_SECONDS = 30;

/** A pod with upstream's defaults: restart and DNS policy, grace, scheduler, container paths, probes, volumes. */
export function defaultPod(object: ApiObject): ApiObject {
  const pod = withAddresses(object as Pod);
  if (pod.spec === undefined) return pod;
  const spec = defaultPodSpec(pod.spec);
  const whole: PodSpec = {
    ...spec,
    enableServiceLinks: spec.enableServiceLinks ?? true,
    // A pod that was to be killed at once has a second (Convert_v1_Pod_To_core_Pod); a template keeps what it says.
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0 && { terminationGracePeriodSeconds: 1 }),
    ...(spec.resources?.limits !== undefined && { resources: defaultPodResources(spec.resources, spec.containers) }),
    containers: spec.containers.map((container) => runnable(container, spec.hostNetwork === true)),
    ...(spec.initContainers !== undefined && { initContainers: spec.initContainers.map((container) => runnable(container, spec.hostNetwork === true)) }),
  };
  return { ...pod, spec: whole } as ApiObject;
}

/** The single address of older kubelets is the first of the list, and decides (Convert_v1_PodStatus_To_core_PodStatus). */
function withAddresses(pod: Pod): Pod {
  const { podIP = '', podIPs = [] } = pod.status ?? {};
  const [first] = podIPs;
  if (podIP === (first?.ip ?? '')) return pod;
  return { ...pod, status: podIP === '' ? { ...pod.status, podIP: first?.ip } : { ...pod.status, podIPs: [{ ip: podIP }] } };
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
    ...(container.lifecycle !== undefined && { lifecycle: defaultLifecycle(container.lifecycle) }),
    ...(container.env !== undefined && { env: container.env.map(defaultVariable) }),
  };
}

/** Always for `latest` and untagged images, otherwise IfNotPresent; a digest pins the image, and what is no name of an image has no tag. */
function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  const [, name = '', tag = 'latest', digest] = IMAGE.exec(image) ?? [];
  return digest === undefined && tag === 'latest' && isRepository(name) ? 'Always' : 'IfNotPresent';
}

const IMAGE = /^(.+?)(?::([\w][\w.-]{0,127}))?(@[\w+.:-]+)?$/;
const REGISTRY = /^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*(:[0-9]+)?$/;
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const REPOSITORY_MAX_LENGTH = 255;

/** `registry/path` or `path` (distribution/reference ParseNormalizedNamed). */
function isRepository(name: string): boolean {
  const slash = name.indexOf('/');
  const head = name.slice(0, Math.max(0, slash));
  const hasRegistry = slash > 0 && (/[.:]/.test(head) || head === 'localhost' || head !== head.toLowerCase());
  const path = hasRegistry ? name.slice(slash + 1) : name;
  const official = slash < 0 ? 'library/' : '';
  if (official.length + path.length > REPOSITORY_MAX_LENGTH || /^[0-9a-f]{64}$/.test(name)) return false;
  return REPOSITORY.test(path) && (!hasRegistry || REGISTRY.test(head));
}

/** A limit without a request is also the request. */
function defaultResources(resources: ResourceRequirements): ResourceRequirements {
  if (resources.limits === undefined) return resources;
  return { ...resources, requests: { ...resources.limits, ...resources.requests } };
}

/** What a pod can ask for as a whole (resourcehelper.IsSupportedPodLevelResource). */
const POD_LEVEL_RESOURCE = /^(cpu|memory|hugepages-.*)$/;

/** A limit of the whole pod without a request: what its containers request, otherwise the limit. */
function defaultPodResources(resources: ResourceRequirements, containers: readonly Container[]): ResourceRequirements {
  const requests: Record<string, string> = { ...resources.requests };
  for (const [name, limit] of Object.entries(resources.limits ?? {})) {
    if (!POD_LEVEL_RESOURCE.test(name)) continue;
    const asked = containers.flatMap(({ resources: own }) => own?.requests?.[name] ?? own?.limits?.[name] ?? []);
    requests[name] ??= asked.length === 0 ? limit : asked.reduce((sum, amount) => sum.add(Quantity.parse(amount)), Quantity.of(0)).toString();
  }
  return { ...resources, requests };
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
    ...(probe.httpGet !== undefined && { httpGet: defaultHttpGet(probe.httpGet) }),
    ...(probe.grpc !== undefined && { grpc: { ...probe.grpc, service: probe.grpc.service ?? '' } }),
  };
}

function defaultHttpGet(action: HTTPGetAction): HTTPGetAction {
  return { ...action, path: action.path || '/', scheme: action.scheme ?? 'HTTP' };
}

function defaultLifecycle({ postStart, preStop, ...rest }: Lifecycle): Lifecycle {
  const hook = (handler: LifecycleHandler): LifecycleHandler =>
    handler.httpGet === undefined ? handler : { ...handler, httpGet: defaultHttpGet(handler.httpGet) };
  return { ...rest, ...(postStart !== undefined && { postStart: hook(postStart) }), ...(preStop !== undefined && { preStop: hook(preStop) }) };
}

function defaultVariable(variable: EnvVar): EnvVar {
  const { fieldRef } = variable.valueFrom ?? {};
  return fieldRef === undefined ? variable : { ...variable, valueFrom: { ...variable.valueFrom, fieldRef: defaultFieldRef(fieldRef) } };
}

function defaultFieldRef(selector: ObjectFieldSelector): ObjectFieldSelector {
  return { ...selector, apiVersion: selector.apiVersion ?? 'v1' };
}

function defaultFile(file: DownwardAPIVolumeFile): DownwardAPIVolumeFile {
  return file.fieldRef === undefined ? file : { ...file, fieldRef: defaultFieldRef(file.fieldRef) };
}

/** Upstream's default validity of a projected token: one hour. */
const TOKEN_EXPIRATION_SECONDS = 3600;

function defaultProjection(source: VolumeProjection): VolumeProjection {
  const { downwardAPI, serviceAccountToken } = source;
  return {
    ...source,
    ...(downwardAPI?.items !== undefined && { downwardAPI: { ...downwardAPI, items: downwardAPI.items.map(defaultFile) } }),
    ...(serviceAccountToken !== undefined && {
      serviceAccountToken: { ...serviceAccountToken, expirationSeconds: serviceAccountToken.expirationSeconds ?? TOKEN_EXPIRATION_SECONDS },
    }),
  };
}

function defaultProjected(volume: ProjectedVolumeSource): ProjectedVolumeSource {
  const { sources } = volume;
  return {
    ...volume,
    defaultMode: volume.defaultMode ?? FILE_MODE,
    ...((sources ?? undefined) !== undefined && { sources: (sources ?? []).map(defaultProjection) }),
  };
}

function defaultDownwardApi(volume: DownwardAPIVolumeSource): DownwardAPIVolumeSource {
  return { ...volume, defaultMode: volume.defaultMode ?? FILE_MODE, ...(volume.items !== undefined && { items: volume.items.map(defaultFile) }) };
}

function defaultEphemeral(volume: EphemeralVolumeSource): EphemeralVolumeSource {
  const { volumeClaimTemplate: template } = volume;
  if (template === undefined) return volume;
  return { ...volume, volumeClaimTemplate: { ...template, spec: { ...template.spec, volumeMode: template.spec.volumeMode ?? 'Filesystem' } } };
}

/** Upstream's default mode of files from secrets, config maps and projections: 0644. */
const FILE_MODE = 0o644;

/** A volume of no kind is an empty directory. */
function defaultVolume(volume: Volume): Volume {
  const { name: _name, ...source } = volume;
  return {
    ...volume,
    ...(Object.keys(source).length === 0 && { emptyDir: {} }),
    ...(volume.secret !== undefined && { secret: { ...volume.secret, defaultMode: volume.secret.defaultMode ?? FILE_MODE } }),
    ...(volume.configMap !== undefined && { configMap: { ...volume.configMap, defaultMode: volume.configMap.defaultMode ?? FILE_MODE } }),
    ...(volume.projected !== undefined && { projected: defaultProjected(volume.projected) }),
    ...(volume.downwardAPI !== undefined && { downwardAPI: defaultDownwardApi(volume.downwardAPI) }),
    ...(volume.ephemeral !== undefined && { ephemeral: defaultEphemeral(volume.ephemeral) }),
    ...(volume.image !== undefined && { image: { ...volume.image, pullPolicy: volume.image.pullPolicy ?? pullPolicyOf(volume.image.reference ?? '') } }),
    ...(volume.hostPath !== undefined && { hostPath: { ...volume.hostPath, type: volume.hostPath.type ?? '' } }),
  };
}
