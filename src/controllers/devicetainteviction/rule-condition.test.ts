/** Tests of the texts in the status of DeviceTaintRules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceTaint, DeviceTaintRule } from '#api';
import { ruleCondition, type RuleFacts } from './rule-condition.ts';

const NOTHING: RuleFacts = { publishedDevices: 0, allocatedDevices: 0, pods: 0, namespaces: 0, evicted: 0 };

function rule(effect: DeviceTaint['effect']): DeviceTaintRule {
  return { metadata: { name: 'r' }, spec: { taint: { key: 'k', effect } } };
}

test('evictions ahead, done and never begun are told apart', () => {
  assert.deepEqual(ruleCondition(rule('NoExecute'), NOTHING), { status: 'False', reason: 'NotStarted', message: '' });
  assert.deepEqual(ruleCondition(rule('NoExecute'), { ...NOTHING, pods: 1, namespaces: 1 }), {
    status: 'True',
    reason: 'PodsPendingEviction',
    message: '1 pod needs to be evicted in 1 namespace.',
  });
  assert.deepEqual(ruleCondition(rule('NoExecute'), { ...NOTHING, pods: 3, namespaces: 2, evicted: 1 }), {
    status: 'True',
    reason: 'PodsPendingEviction',
    message: '3 pods need to be evicted in 2 different namespaces. 1 pod evicted since starting the controller.',
  });
  assert.deepEqual(ruleCondition(rule('NoExecute'), { ...NOTHING, evicted: 2 }), {
    status: 'False',
    reason: 'Completed',
    message: '2 pods evicted since starting the controller.',
  });
});

test('a rule without effect says what it would do, other effects that they do nothing here', () => {
  assert.equal(
    ruleCondition(rule('None'), { publishedDevices: 2, allocatedDevices: 1, pods: 1, namespaces: 1, evicted: 0 }).message,
    '2 published devices selected. 1 allocated device selected. 1 pod would be evicted in 1 namespace if the effect was NoExecute. This information will not be updated again. Recreate the DeviceTaintRule to trigger an update.',
  );
  assert.deepEqual(ruleCondition(rule('NoSchedule'), NOTHING), {
    status: 'False',
    reason: 'OtherEffect',
    message: 'Eviction only happens for the NoExecute effect.',
  });
});
