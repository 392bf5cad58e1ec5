/** Device taints and the tolerations of requests (KEP 5055). */
import type { DeviceTaint, DeviceToleration } from '#api';

/** Effects that keep a device from being allocated; None and unknown effects inform only. */
const BLOCKING: ReadonlySet<string> = new Set(['NoSchedule', 'NoExecute']);

/** The first taint that blocks the device because no toleration covers it. */
export function untoleratedTaint(taints: readonly DeviceTaint[] | undefined, tolerations: readonly DeviceToleration[] | undefined): DeviceTaint | undefined {
  return taints?.find((taint) => BLOCKING.has(taint.effect) && !(tolerations ?? []).some((toleration) => tolerates(toleration, taint)));
}

/** Whether the toleration covers the taint. tolerationSeconds only matters to eviction. */
export function tolerates(toleration: DeviceToleration, taint: DeviceTaint): boolean {
  const {
    effect = '',
    key = '',
    operator = '',
    value = '',
  }: { effect?: string | undefined; key?: string | undefined; operator?: string | undefined; value?: string | undefined } = toleration;
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return (operator === 'Equal' || operator === '') && value === (taint.value ?? '');
}
