/** Which devices a request's selectors accept, for one node (upstream's isSelectable). */
import type { DeviceEntry } from './device.ts';
import type { Features } from './features.ts';
import { matchesNode, type NodeView } from './node-match.ts';
import { AllocationError, type DeviceReason } from './refusal.ts';
import { className, type DeviceAsk } from './device-ask.ts';
import { SelectorFailure } from './selectors.ts';

/** Upstream's advice below an error that a missing attribute or capacity caused. */
const NO_SUCH_KEY_HINT = '. consider using CEL optional chaining (.? followed by orValue()) or guarding the check with has() for optional fields';

/** What a node has to declare to be given devices whose preparation may be skipped. */
const OPTIONAL_NODE_OPERATIONS = 'DRAOptionalNodeOperations';

/** Decides which devices match, for one node and one set of features. */
export class Eligibility {
  readonly #features: Features;
  #node: NodeView;

  constructor(node: NodeView, features: Features) {
    this.#node = node;
    this.#features = features;
  }

  /** Goes on to another node. */
  visit(node: NodeView): void {
    this.#node = node;
  }

  /** Why the device does not match the request, if it does not. Throws AllocationError when a selector fails. */
  refusal(ask: DeviceAsk, entry: DeviceEntry): DeviceReason | undefined {
    if (entry.device.bindingConditions !== undefined && entry.device.bindingConditions.length > 0 && !this.#features.deviceBindingAndStatus) {
      return { kind: 'featureOff', feature: 'DRADeviceBindingConditions' };
    }
    const index = firstFalse(ask, entry);
    if (index >= 0) return selectorReason(ask, index);
    const { slice, device } = entry;
    if (slice.spec.perDeviceNodeSelection === true) {
      const isReachable = matchesNode(device, this.#node, () => `device ${device.name} in slice ${slice.name}`);
      if (!isReachable) return OTHER_NODE;
    }
    return undefined;
  }

  /** Why the node cannot do what the device needs, if so. Unlike what does not match, such a device belongs to "all". */
  nodeRefusal({ slice }: DeviceEntry): DeviceReason | undefined {
    if (slice.skipNodeOperations.length === 0) return undefined;
    const isUnderstood = this.#features.optionalNodeOperations && this.#node.declaredFeatures?.includes(OPTIONAL_NODE_OPERATIONS) === true;
    return isUnderstood ? undefined : NODE_OPERATIONS;
  }
}

function selectorReason(ask: DeviceAsk, index: number): DeviceReason {
  const { classCount } = ask.selectors;
  if (index < classCount) return { kind: 'selector', of: 'class', name: className(ask), index };
  return { kind: 'selector', of: 'claim', name: ask.name, index: index - classCount };
}

const NODE_OPERATIONS: DeviceReason = { kind: 'nodeOperations' };
const OTHER_NODE: DeviceReason = { kind: 'otherNode' };

function firstFalse(ask: DeviceAsk, entry: DeviceEntry): number {
  try {
    return ask.selectors.firstFalse(entry);
  } catch (error) {
    if (!(error instanceof SelectorFailure)) throw error;
    const { classCount } = ask.selectors;
    const place =
      error.index < classCount ? `class ${className(ask)}: selector #${error.index}` : `claim ${ask.claimKey}: selector #${error.index - classCount}`;
    throw new AllocationError(error.onDevice ? `${place} on device ${entry.id}: ${withHint(error.message)}` : `${place}: ${error.message}`);
  }
}

function withHint(message: string): string {
  return message.includes('no such key') && !message.includes(NO_SUCH_KEY_HINT) ? message + NO_SUCH_KEY_HINT : message;
}
