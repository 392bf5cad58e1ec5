/** The root certificate publisher: every namespace has the certificates by which its pods know the API server (upstream: pkg/controller/certificates/rootcacertpublisher). */
import type { ConfigMap } from '#api';
import { CONFIG_MAPS } from '#client';
import { stringifyJson } from '#machinery';
import type { ControllerContext } from '../controller-context.ts';
import { keepInNamespaces } from '../namespace-objects.ts';

/** Upstream: RootCACertConfigMapName. */
const NAME = 'kube-root-ca.crt';
const DESCRIPTION_ANNOTATION = 'kubernetes.io/description';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Runs until `signal` aborts; at once ends where nobody said which certificates there are. */
export async function runRootCaCertPublisher(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { rootCaPem } = context;
  if (rootCaPem === undefined) return;
  const kept = {
    controller: 'root_ca_cert_publisher',
    resource: CONFIG_MAPS,
    wanted: published(rootCaPem),
    mended: (live: ConfigMap) => mended(live, rootCaPem),
  };
  await keepInNamespaces(context, kept, signal);
}

function published(rootCaPem: string): ConfigMap {
  return { metadata: { name: NAME, annotations: { [DESCRIPTION_ANNOTATION]: DESCRIPTION } }, data: { 'ca.crt': rootCaPem } };
}

/** The map with nothing but the certificates, and with what it is for; undefined when it is so already. */
export function mended(live: ConfigMap, rootCaPem: string): ConfigMap | undefined {
  const { data, metadata } = published(rootCaPem);
  const { annotations } = live.metadata;
  if (stringifyJson(live.data ?? {}) === stringifyJson(data ?? {}) && annotations?.[DESCRIPTION_ANNOTATION] === DESCRIPTION) return undefined;
  return { ...live, data, metadata: { ...live.metadata, annotations: { ...annotations, ...metadata.annotations } } };
}
