/** ServiceAccount: every pod runs as an account, whose token its containers find in a known place (upstream: plugin/pkg/admission/serviceaccount). */
import { MIRROR_ANNOTATION, type Container, type Pod, type PodSpec, type ServiceAccount, type Volume } from '#api';
import { nameSuffix } from '#base';
import { type Scope, storageKey } from '../catalog.ts';
import { secretsOf } from '../authorization/pod-references.ts';
import type { Core } from '../options.ts';
import type { StoredObject } from '../registry/object-store.ts';
import { mountableSecretsProblem } from './mountable-secrets.ts';
import { type AdmissionOfObject, type AdmissionPlugin, isAbout, refused } from './plugin.ts';

/** Upstream: DefaultServiceAccountName. */
const DEFAULT_ACCOUNT = 'default';
/** Upstream: DefaultAPITokenMountPath. */
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Upstream: ServiceAccountVolumeName, followed by a dash and five letters. */
const VOLUME_PREFIX = 'kube-api-access-';
/** Upstream: WarnOnlyBoundTokenPeriod; kubelets renew the token before that. */
const TOKEN_SECONDS = 3607;
/** An account may be made just now, with its namespace (upstream: 10 tries, about 100 ms apart). */
const LOOKUP_MS = 1000;

/** The plugin. */
export const SERVICE_ACCOUNT_PLUGIN: AdmissionPlugin = {
  name: 'ServiceAccount',
  admit: async (core, request) => {
    if (request.operation !== 'create' || !isAbout(request, '', 'pods')) return request.object;
    // Narrowed by resource.
    const pod = request.object as Pod;
    if (pod.spec === undefined) return pod;
    if (pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return checkMirror(request, pod);
    const name = (pod.spec.serviceAccountName ?? '') === '' ? DEFAULT_ACCOUNT : (pod.spec.serviceAccountName ?? '');
    const account = await accountNamed(core, request, name);
    const spec = runningAs(core, { ...pod.spec, serviceAccountName: name, serviceAccount: name }, account);
    const problem = mountableSecretsProblem(spec, account);
    if (problem !== undefined) throw refused(request, problem);
    return { ...pod, spec };
  },
};

function checkMirror(request: AdmissionOfObject, pod: Pod): Pod {
  if ((pod.spec?.serviceAccountName ?? '') !== '') throw refused(request, 'a mirror pod may not reference service accounts');
  if (secretsOf(pod).length > 0) throw refused(request, 'a mirror pod may not reference secrets');
  const token = pod.spec?.volumes?.some(({ projected }) => projected?.sources?.some((source) => source.serviceAccountToken !== undefined)) === true;
  if (token) throw refused(request, 'a mirror pod may not use ServiceAccountToken volume projections');
  return pod;
}

async function accountNamed(core: Core, request: AdmissionOfObject, name: string): Promise<ServiceAccount> {
  const scope = core.catalog.find('', 'v1', 'serviceaccounts');
  const stored =
    scope === undefined ? undefined : ((await core.objects.get(scope, request.namespace, name)) ?? (await toBeMade(core, scope, request.namespace, name)));
  if (stored === undefined)
    throw refused(request, `error looking up service account ${request.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`);
  // Objects stored under service accounts are such.
  return stored.object as ServiceAccount;
}

/** The account as soon as it exists, undefined when that takes too long. */
async function toBeMade(core: Core, scope: Scope, namespace: string, name: string): Promise<StoredObject | undefined> {
  const { promise, resolve } = Promise.withResolvers<StoredObject | undefined>();
  const key = storageKey(scope, namespace, name);
  const stop = await core.objects.follow(key, (_old, now) => {
    if (now?.object.metadata.name === name) resolve(now);
  });
  const cancel = core.options.clock.setTimer(LOOKUP_MS, () => resolve(undefined));
  try {
    return await promise;
  } finally {
    cancel();
    stop();
  }
}

function runningAs(core: Core, spec: PodSpec, account: ServiceAccount): PodSpec {
  const secrets = (spec.imagePullSecrets ?? []).length > 0 ? spec.imagePullSecrets : account.imagePullSecrets;
  const withSecrets = secrets === undefined ? spec : { ...spec, imagePullSecrets: secrets };
  const mounts = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  return mounts ? withToken(core, withSecrets) : withSecrets;
}

function withToken(core: Core, spec: PodSpec): PodSpec {
  const known = (spec.volumes ?? []).find(({ name }) => name.startsWith(VOLUME_PREFIX))?.name;
  const name = known ?? VOLUME_PREFIX + nameSuffix(core.options.random, SUFFIX_LENGTH);
  let used = false;
  const mounted = (container: Container): Container => {
    const { volumeMounts = [] } = container;
    if (volumeMounts.some(({ mountPath }) => mountPath === TOKEN_PATH)) return container;
    used = true;
    return { ...container, volumeMounts: [...volumeMounts, { name, readOnly: true, mountPath: TOKEN_PATH }] };
  };
  const containers = spec.containers.map(mounted);
  const initContainers = spec.initContainers?.map(mounted);
  if (!used) return spec;
  const volumes = known === undefined ? [...(spec.volumes ?? []), tokenVolume(name)] : spec.volumes;
  return { ...spec, containers, ...(initContainers !== undefined && { initContainers }), volumes };
}

const SUFFIX_LENGTH = 5;

/** Token, authority and namespace in one directory. */
function tokenVolume(name: string): Volume {
  const namespace = { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } };
  const sources = [
    { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [namespace] } },
  ];
  return { name, projected: { defaultMode: 0o644, sources } };
}
