/** Node taints and the tolerations of pods (TaintToleration, NodeUnschedulable). */
import type { Taint, Toleration } from '#api';

/** The taint that stands for spec.unschedulable. */
export const UNSCHEDULABLE_TAINT: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

const BLOCKING: ReadonlySet<string> = new Set(['NoSchedule', 'NoExecute']);

/** The first taint that keeps the pod away. */
export function blockingTaint(taints: readonly Taint[], tolerations: readonly Toleration[]): Taint | undefined {
  return taints.find((taint) => BLOCKING.has(taint.effect) && !isTolerated(taint, tolerations));
}

/** Whether some toleration covers the taint. */
export function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some((toleration) => covers(toleration, taint));
}

/** An empty effect or key covers all; Gt and Lt compare whole numbers (TaintTolerationComparisonOperators). */
function covers(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && `${toleration.effect}` !== '' && toleration.effect !== taint.effect) return false;
  if ((toleration.key ?? '') !== '' && toleration.key !== taint.key) return false;
  const operator: string = toleration.operator ?? '';
  const wanted = toleration.value ?? '';
  const value = taint.value ?? '';
  if (operator === 'Exists') return true;
  if (operator === '' || operator === 'Equal') return wanted === value;
  if (!WHOLE_NUMBER.test(wanted) || !WHOLE_NUMBER.test(value)) return false;
  return operator === 'Gt' ? BigInt(value) > BigInt(wanted) : operator === 'Lt' && BigInt(value) < BigInt(wanted);
}

const WHOLE_NUMBER = /^(0|-?[1-9]\d*)$/;
