/** Which devices a request's selectors accept (upstream's isSelectable): decided once per device, request and attempt. */
import type { DeviceSelector } from '#api';
import type { DeviceEntry } from './device.ts';
import type { Features } from './features.ts';
import { matchesNode, type NodeView } from './node-match.ts';
import { AllocationError, type DeviceReason } from './refusal.ts';
import { className, type DeviceAsk } from './requests.ts';
import type { SelectorCache } from './selectors.ts';

/** Upstream's advice below an error that a missing attribute or capacity caused. */
const NO_SUCH_KEY_HINT = '. consider using CEL optional chaining (.? followed by orValue()) or guarding the check with has() for optional fields';

/** Verdicts kept per device; beyond that they are computed anew. A device meets as many selectors as its cluster's classes and claims have. */
const VERDICTS_MAX = 1024;

/** Decides which devices match, for one node and one set of features. */
export class Eligibility {
  readonly #node: NodeView;
  readonly #features: Features;
  readonly #selectors: SelectorCache;

  constructor(node: NodeView, features: Features, selectors: SelectorCache) {
    this.#node = node;
    this.#features = features;
    this.#selectors = selectors;
  }

  /** Whether the device matches the request; if not, the reason is noted. Throws AllocationError when a selector fails. */
  check(ask: DeviceAsk, entry: DeviceEntry): boolean {
    let verdict = ask.eligible.get(entry);
    if (verdict === undefined) {
      verdict = this.#decide(ask, entry) ?? true;
      ask.eligible.set(entry, verdict);
      if (verdict !== true) ask.log.note(entry, verdict);
    }
    return verdict === true;
  }

  #decide(ask: DeviceAsk, entry: DeviceEntry): DeviceReason | undefined {
    if ((entry.device.bindingConditions?.length ?? 0) > 0 && !this.#features.deviceBindingAndStatus) {
      return { kind: 'featureOff', feature: 'DRADeviceBindingConditions' };
    }
    const ofClass = this.#firstFalse(ask.deviceClass.spec.selectors ?? [], entry, `class ${className(ask)}`);
    if (ofClass !== undefined) return { kind: 'selector', of: 'class', name: className(ask), index: ofClass };
    const ofClaim = this.#firstFalse(ask.selectors, entry, `claim ${ask.claimKey}`);
    if (ofClaim !== undefined) return { kind: 'selector', of: 'claim', name: ask.name, index: ofClaim };
    if (entry.slice.spec.perDeviceNodeSelection !== true) return undefined;
    const reachable = matchesNode(entry.device, this.#node, () => `device ${entry.device.name} in slice ${entry.slice.name}`);
    return reachable ? undefined : { kind: 'otherNode' };
  }

  /** The index of the first selector that the device does not meet. */
  #firstFalse(selectors: readonly DeviceSelector[], entry: DeviceEntry, owner: string): number | undefined {
    for (const [index, { cel }] of selectors.entries()) {
      if (cel === undefined) throw new AllocationError(`${owner}: selector #${index}: CEL expression empty (unsupported selector type?)`);
      if (!this.#matches(cel.expression, entry, `${owner}: selector #${index}`)) return index;
    }
    return undefined;
  }

  #matches(expression: string, entry: DeviceEntry, where: string): boolean {
    const compiled = this.#selectors.compile(expression, this.#features);
    if ('error' in compiled) throw new AllocationError(`${where}: CEL compile error: ${compiled.error}`);
    const known = entry.verdicts.get(compiled.key);
    if (known !== undefined) return known;
    const result = compiled.selector.evaluate(entry.cel);
    if (result.kind === 'error') throw new AllocationError(`${where} on device ${entry.id}: CEL runtime error: ${withHint(result.message)}`);
    if (entry.verdicts.size >= VERDICTS_MAX) entry.verdicts.clear();
    entry.verdicts.set(compiled.key, result.matches);
    return result.matches;
  }
}

function withHint(message: string): string {
  return message.includes('no such key') && !message.includes(NO_SUCH_KEY_HINT) ? message + NO_SUCH_KEY_HINT : message;
}
