/** Why a pod may not run on a node: upstream's filter plugins in their order, the first one's refusal counts. */
import type { Node, Pod } from '#api';
import { matchesNodeSelectorLazily, nameOf } from '#machinery';
import { hasPortConflict } from './host-ports.ts';
import { blockingTaint, isTolerated, UNSCHEDULABLE_TAINT } from './node-taints.ts';
import { fitRefusals } from './resources-fit.ts';

/** The first reason why the node is refused, undefined when the pod fits. `podsOnNode` are the pods that take room there. */
export function nodeRefusal(pod: Pod, node: Node, podsOnNode: readonly Pod[]): string | undefined {
  return nodeRefusals(pod, node, podsOnNode)[0];
}

/**
 * All reasons that the first refusing plugin gives; only a lack of resources gives more than one. Upstream counts each of them. `podsOnNode` must
 * not be changed afterwards; `asDevices` are extended resources that the pod would get through claims.
 */
export function nodeRefusals(pod: Pod, node: Node, podsOnNode: readonly Pod[], asDevices: ReadonlySet<string> = NONE): readonly string[] {
  const tolerations = pod.spec?.tolerations ?? [];
  if (node.spec?.unschedulable === true && !isTolerated(UNSCHEDULABLE_TAINT, tolerations)) return ['node(s) were unschedulable'];
  const wantedName = pod.spec?.nodeName ?? '';
  if (wantedName !== '' && wantedName !== nameOf(node)) return ["node(s) didn't match the requested node name"];
  if (blockingTaint(node.spec?.taints ?? [], tolerations) !== undefined) return ['node(s) had untolerated taint(s)'];
  if (!meetsAffinity(pod, node)) return ["node(s) didn't match Pod's node affinity/selector"];
  if (hasPortConflict(pod, podsOnNode)) return ["node(s) didn't have free ports for the requested pod ports"];
  return fitRefusals(pod, node, podsOnNode, asDevices);
}

const NONE: ReadonlySet<string> = new Set();

/** spec.nodeSelector and the required node affinity must both be met; an affinity without terms matches nothing. */
function meetsAffinity(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const isSelected = Object.entries(pod.spec?.nodeSelector ?? {}).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return isSelected && (required === undefined || matchesNodeSelectorLazily(required, { name: nameOf(node), labels }));
}
