/** Table cells of workloads that no recording shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableColumns } from '../kind.ts';
import { shownCell } from './age.ts';
import { DAEMON_SET_COLUMNS, DISRUPTION_BUDGET_COLUMNS, JOB_COLUMNS, STATEFUL_SET_COLUMNS } from './workloads.ts';
import { QUOTA_COLUMNS } from './rbac.ts';
import { POD_GROUP_COLUMNS, PRIORITY_CLASS_COLUMNS } from './scheduling.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');
const metadata = { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z' };
const template = { spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'c', image: 'i' }] } };
const selector = { matchLabels: { app: 'a' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['x', 'y'] }] };

function cells(table: TableColumns, object: object): readonly unknown[] {
  return table.cells(object as never).map((cell) => shownCell(cell, NOW));
}

test('a daemon set counts nodes, a stateful set pods, a budget what may go', () => {
  const status = { desiredNumberScheduled: 3, currentNumberScheduled: 2, numberReady: 1, numberMisscheduled: 0, updatedNumberScheduled: 2, numberAvailable: 1 };
  const daemons = cells(DAEMON_SET_COLUMNS, { metadata, spec: { template, selector }, status });
  assert.deepEqual(daemons, ['a', 3, 2, 1, 2, 1, 'disk=ssd', '60m', 'c', 'i', 'app=a,tier in (x,y)']);
  assert.deepEqual(cells(STATEFUL_SET_COLUMNS, { metadata, spec: { template, replicas: 2 }, status: { readyReplicas: 1 } }), ['a', '1/2', '60m', 'c', 'i']);
  assert.deepEqual(cells(DISRUPTION_BUDGET_COLUMNS, { metadata, spec: { minAvailable: '50%' } }), ['a', '50%', 'N/A', 0, '60m']);
});

test('a job is named by its conditions and timed from its start to its end', () => {
  const done = { conditions: [{ type: 'Complete', status: 'True' }], succeeded: 1, startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:00:30Z' };
  assert.deepEqual(cells(JOB_COLUMNS, { metadata, spec: { template, parallelism: 3 }, status: done }).slice(1, 4), ['Complete', '1/1 of 3', '30s']);
  const held = { conditions: [{ type: 'Suspended', status: 'True' }] };
  assert.equal(cells(JOB_COLUMNS, { metadata, spec: { template }, status: held })[1], 'Suspended');
  const going = { metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:30:00Z' }, spec: { template } };
  assert.equal(cells(JOB_COLUMNS, going)[1], 'Terminating');
});

test('a quota shows what is used of what is allowed, limits apart', () => {
  const status = { hard: { pods: '4', 'limits.cpu': '2', 'requests.cpu': '1' }, used: { pods: '3' } };
  assert.deepEqual(cells(QUOTA_COLUMNS, { metadata, status }), ['a', 'pods: 3/4, requests.cpu: 0/1', 'limits.cpu: 0/2', '60m']);
});

test('a priority class shows its number, a pod group what keeps it', () => {
  assert.deepEqual(cells(PRIORITY_CLASS_COLUMNS, { metadata, value: 5 }), ['a', 5, false, '60m', 'PreemptLowerPriority']);
  const spec = { schedulingPolicy: { basic: {} }, podGroupTemplateRef: { workload: { workloadName: 'w', podGroupTemplateName: 't' } } };
  const status = { conditions: [{ type: 'PodGroupScheduled', status: 'False', reason: 'Unschedulable' }] };
  assert.deepEqual(cells(POD_GROUP_COLUMNS, { metadata, spec, status }), ['a', 'Basic', 'w', 'Unschedulable', '60m']);
});
