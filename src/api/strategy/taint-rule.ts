/** Updates of a DeviceTaintRule. */
import type { ApiObject } from '#machinery';
import type { StrategyContext } from '../kind.ts';
import { nextGeneration } from '../object.ts';
import type { DeviceTaintRule } from '../types/resource-v1beta2.ts';

/** Keeps the status; an effect changed without a new time takes effect now. */
export function updatedTaintRule(rule: DeviceTaintRule, old: DeviceTaintRule, context: StrategyContext): ApiObject {
  const { taint } = rule.spec;
  const before = old.spec.taint;
  const stale = taint.effect !== before.effect && taint.timeAdded === before.timeAdded;
  const spec = stale ? { ...rule.spec, taint: { ...taint, timeAdded: context.now } } : rule.spec;
  return nextGeneration({ ...rule, spec, status: old.status }, old);
}
