/** DefaultTolerationSeconds: every pod outlives short outages of its node (upstream: plugin/pkg/admission/defaulttolerationseconds). */
import type { Pod, Toleration } from '#api';
import { type AdmissionPlugin, isAbout } from './plugin.ts';

/** Upstream's flags default-not-ready-toleration-seconds and default-unreachable-toleration-seconds. */
const DEFAULT_TOLERATION_SECONDS = 300;
const TAINT_KEYS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** The plugin. */
export const DEFAULT_TOLERATION_SECONDS_PLUGIN: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit: (_core, request) => (isAbout(request, '', 'pods') ? tolerant(request.object as Pod) : request.object),
};

function tolerant(pod: Pod): Pod {
  if (pod.spec === undefined) return pod;
  const present = pod.spec.tolerations ?? [];
  const missing = TAINT_KEYS.filter((key) => !present.some((toleration) => covers(toleration, key)));
  if (missing.length === 0) return pod;
  const added = missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: DEFAULT_TOLERATION_SECONDS }) as const);
  return { ...pod, spec: { ...pod.spec, tolerations: [...present, ...added] } };
}

function covers({ key = '', effect }: Toleration, taint: string): boolean {
  return (key === taint || key === '') && (effect === undefined || effect === 'NoExecute');
}
