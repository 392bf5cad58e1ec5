/** Reasons in words, and counted: what people read of a refusal. */
import type { DeviceReason, RequestRefusal } from './refusal.ts';

/** So many devices are refused for one reason. */
export interface ReasonCount {
  readonly text: string;
  readonly devices: number;
}

/** The reason without the device, so that equal reasons can be counted. */
export function reasonText(reason: DeviceReason): string {
  switch (reason.kind) {
    case 'selector':
      return reason.of === 'class' ? `selector #${reason.index} of class ${reason.name} is false` : `selector #${reason.index} of the request is false`;
    case 'error':
      return reason.message;
    case 'otherNode':
      return 'belongs to another node';
    case 'featureOff':
      return `needs the feature gate ${reason.feature}`;
    case 'allocated':
      return reason.by === undefined || reason.by.length === 0 ? 'in use' : `in use by ${reason.by.join(', ')}`;
    case 'picked':
      return 'needed by another request of the pod';
    case 'nodeOperations':
      return 'needs a node that can skip its preparation';
    case 'counters':
      return `counter ${reason.counterSet}/${reason.counter}: ${reason.wanted} wanted, ${reason.available} left`;
    case 'groups':
      return `no compatibility group in common with the users of ${reason.counterSet}`;
    case 'taint':
      return `taint ${reason.taint.key}${reason.taint.value === undefined ? '' : `=${reason.taint.value}`}:${reason.taint.effect}`;
    case 'constraint':
      return `constraint #${reason.index}: ${reason.constraint === 'match' ? 'another' : 'the same'} ${reason.attribute}, or none`;
    case 'capacity':
      return capacityText(reason);
  }
}

function capacityText({ capacity, problem, wanted, available }: Extract<DeviceReason, { kind: 'capacity' }>): string {
  if (problem === 'missing') return `has no ${capacity}`;
  if (problem === 'policy') return `does not hand out ${wanted ?? 'its whole'} ${capacity}`;
  return `${capacity}: ${wanted ?? ''} wanted, ${available ?? ''} left`;
}

/** The reasons of one request, the commonest first. */
export function countReasons({ devices }: RequestRefusal): readonly ReasonCount[] {
  const counts = new Map<string, number>();
  for (const { reason } of devices) {
    const text = reasonText(reason);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => ({ text, devices: count })).sort((a, b) => b.devices - a.devices);
}
