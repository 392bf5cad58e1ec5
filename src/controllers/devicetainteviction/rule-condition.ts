/** What a DeviceTaintRule's status says about evictions: the condition EvictionInProgress with upstream's reasons and texts. */
import type { DeviceTaintRule } from '#api';

/** The parts of a condition that the facts decide. */
export interface RuleCondition {
  readonly status: 'True' | 'False';
  readonly reason: 'PodsPendingEviction' | 'Completed' | 'NotStarted' | 'NoEffect' | 'OtherEffect';
  readonly message: string;
}

/** What is known about the devices and pods that a rule concerns. */
export interface RuleFacts {
  /** Devices of the newest pools that it selects. */
  readonly publishedDevices: number;
  /** Devices in claims that it selects. */
  readonly allocatedDevices: number;
  /** Pods that it would force off, or is about to, and the namespaces they are in. */
  readonly pods: number;
  readonly namespaces: number;
  /** Pods deleted for it since the controller was started. */
  readonly evicted: number;
}

/** The condition's type (resource/v1: DeviceTaintConditionEvictionInProgress). */
export const EVICTION_IN_PROGRESS = 'EvictionInProgress';

/** The condition of the rule, given the facts. */
export function ruleCondition({ spec }: DeviceTaintRule, facts: RuleFacts): RuleCondition {
  const evicted = facts.evicted === 0 ? '' : `${counted(facts.evicted, 'pod', 'pods')} evicted since starting the controller.`;
  const { effect } = spec.taint;
  if (effect === 'None') return { status: 'False', reason: 'NoEffect', message: sentences(dryRunText(facts), evicted) };
  if (effect !== 'NoExecute') {
    return { status: 'False', reason: 'OtherEffect', message: sentences('Eviction only happens for the NoExecute effect.', evicted) };
  }
  if (facts.pods > 0) {
    const need = facts.pods === 1 ? 'needs' : 'need';
    const text = `${counted(facts.pods, 'pod', 'pods')} ${need} to be evicted in ${namespacesText(facts)}.`;
    return { status: 'True', reason: 'PodsPendingEviction', message: sentences(text, evicted) };
  }
  return { status: 'False', reason: facts.evicted > 0 ? 'Completed' : 'NotStarted', message: evicted };
}

function dryRunText(facts: RuleFacts): string {
  return sentences(
    `${counted(facts.publishedDevices, 'published device', 'published devices')} selected.`,
    `${counted(facts.allocatedDevices, 'allocated device', 'allocated devices')} selected.`,
    `${counted(facts.pods, 'pod', 'pods')} would be evicted in ${namespacesText(facts)} if the effect was NoExecute.`,
    'This information will not be updated again. Recreate the DeviceTaintRule to trigger an update.',
  );
}

function namespacesText({ namespaces }: RuleFacts): string {
  return counted(namespaces, 'namespace', 'different namespaces');
}

function counted(count: number, one: string, many: string): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}

function sentences(...texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join(' ');
}
