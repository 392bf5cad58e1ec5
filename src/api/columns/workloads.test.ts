/** Table cells of workloads that no recording shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAEMON_SET_COLUMNS, DISRUPTION_BUDGET_COLUMNS, JOB_COLUMNS, STATEFUL_SET_COLUMNS } from './workloads.ts';
import { QUOTA_COLUMNS } from './rbac.ts';
import { POD_GROUP_COLUMNS, PRIORITY_CLASS_COLUMNS } from './scheduling.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');
const metadata = { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z' };
const template = { spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'c', image: 'i' }] } };
const selector = { matchLabels: { app: 'a' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['x', 'y'] }] };

test('a daemon set counts nodes, a stateful set pods, a budget what may go', () => {
  const status = { desiredNumberScheduled: 3, currentNumberScheduled: 2, numberReady: 1, numberMisscheduled: 0, updatedNumberScheduled: 2, numberAvailable: 1 };
  const daemons = DAEMON_SET_COLUMNS.cells({ metadata, spec: { template, selector }, status } as never, NOW);
  assert.deepEqual(daemons, ['a', 3, 2, 1, 2, 1, 'disk=ssd', '60m', 'c', 'i', 'app=a,tier in (x,y)']);
  assert.deepEqual(STATEFUL_SET_COLUMNS.cells({ metadata, spec: { template, replicas: 2 }, status: { readyReplicas: 1 } } as never, NOW), [
    'a',
    '1/2',
    '60m',
    'c',
    'i',
  ]);
  assert.deepEqual(DISRUPTION_BUDGET_COLUMNS.cells({ metadata, spec: { minAvailable: '50%' } } as never, NOW), ['a', '50%', 'N/A', 0, '60m']);
});

test('a job is named by its conditions and timed from its start to its end', () => {
  const done = { conditions: [{ type: 'Complete', status: 'True' }], succeeded: 1, startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:00:30Z' };
  assert.deepEqual(JOB_COLUMNS.cells({ metadata, spec: { template, parallelism: 3 }, status: done } as never, NOW).slice(1, 4), [
    'Complete',
    '1/1 of 3',
    '30s',
  ]);
  const held = { conditions: [{ type: 'Suspended', status: 'True' }] };
  assert.equal(JOB_COLUMNS.cells({ metadata, spec: { template }, status: held } as never, NOW)[1], 'Suspended');
  const going = { metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:30:00Z' }, spec: { template } };
  assert.equal(JOB_COLUMNS.cells(going as never, NOW)[1], 'Terminating');
});

test('a quota shows what is used of what is allowed, limits apart', () => {
  const status = { hard: { pods: '4', 'limits.cpu': '2', 'requests.cpu': '1' }, used: { pods: '3' } };
  assert.deepEqual(QUOTA_COLUMNS.cells({ metadata, status } as never, NOW), ['a', 'pods: 3/4, requests.cpu: 0/1', 'limits.cpu: 0/2', '60m']);
});

test('a priority class shows its number, a pod group what keeps it', () => {
  assert.deepEqual(PRIORITY_CLASS_COLUMNS.cells({ metadata, value: 5 } as never, NOW), ['a', 5, false, '60m', 'PreemptLowerPriority']);
  const spec = { schedulingPolicy: { basic: {} }, podGroupTemplateRef: { workload: { workloadName: 'w', podGroupTemplateName: 't' } } };
  const status = { conditions: [{ type: 'PodGroupScheduled', status: 'False', reason: 'Unschedulable' }] };
  assert.deepEqual(POD_GROUP_COLUMNS.cells({ metadata, spec, status } as never, NOW), ['a', 'Basic', 'w', 'Unschedulable', '60m']);
});
