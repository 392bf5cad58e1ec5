/** Table cells, worded as recorded from kube-apiserver 1.36.3 (tables/pods, claims, nodes, events). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '#machinery';
import { kindByResource } from '../kinds.ts';
import { humanDuration, shownCell } from './age.ts';

const NOW_MS = Date.parse('2026-01-01T00:10:00Z');
const CREATED = '2026-01-01T00:00:00Z';

function cells(plural: string, object: object, group = ''): readonly unknown[] {
  const table = kindByResource(group, plural)?.table;
  assert.ok(table);
  const row = table.cells(object as ApiObject).map((cell) => shownCell(cell, NOW_MS));
  assert.equal(row.length, table.columns.length);
  return row;
}

const metadata = { name: 'x', creationTimestamp: CREATED };
const containers = [{ name: 'main', image: 'a' }];

test('a pod nobody has placed is pending and shows <none> for what it lacks', () => {
  const pod = { metadata, spec: { containers }, status: { phase: 'Pending' } };
  assert.deepEqual(cells('pods', pod), ['x', '0/1', 'Pending', '0', '10m', '<none>', '<none>', '<none>', '<none>']);
});

test('a crashing pod shows why it waits and when it last restarted', () => {
  const status = {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'main',
        ready: false,
        restartCount: 3,
        image: 'a',
        imageID: '',
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:09:00Z' } },
      },
    ],
  };
  assert.deepEqual(cells('pods', { metadata, spec: { containers, nodeName: 'n1' }, status }).slice(1, 4), ['0/1', 'CrashLoopBackOff', '3 (60s ago)']);
});

test('an initializing pod counts its init containers, a deleted one is terminating', () => {
  const spec = { containers, initContainers: [{ name: 'i', image: 'a' }] };
  const status = { phase: 'Pending', initContainerStatuses: [{ name: 'i', ready: false, restartCount: 0, image: 'a', imageID: '', state: { running: {} } }] };
  assert.equal(cells('pods', { metadata, spec, status })[2], 'Init:0/1');
  assert.equal(cells('pods', { metadata: { ...metadata, deletionTimestamp: CREATED }, spec, status })[2], 'Terminating');
});

test('a claim names its states in upstream order', () => {
  const state = (status: object, deleted = false) =>
    cells('resourceclaims', { metadata: { ...metadata, ...(deleted && { deletionTimestamp: CREATED }) }, spec: {}, status }, 'resource.k8s.io')[1];
  assert.equal(state({}), 'pending');
  assert.equal(state({ allocation: {}, reservedFor: [{}] }), 'allocated,reserved');
  assert.equal(state({ allocation: {}, reservedFor: [{}] }, true), 'deleted,allocated,reserved');
  assert.equal(state({}, true), 'deleted');
});

test('a cordoned node shows both states and its roles', () => {
  const node = {
    metadata: { ...metadata, labels: { 'node-role.kubernetes.io/worker': '' } },
    spec: { unschedulable: true },
    status: { conditions: [{ type: 'Ready', status: 'True' }], nodeInfo: { kubeletVersion: 'v1.36.0', kernelVersion: '6.1', architecture: 'amd64' } },
  };
  assert.deepEqual(cells('nodes', node), [
    'x',
    'Ready,SchedulingDisabled',
    'worker',
    '10m',
    'v1.36.0',
    '<none>',
    '<none>',
    '<unknown>',
    '6.1 (amd64)',
    '<unknown>',
  ]);
});

test('an event counts once when it carries no count', () => {
  const event = { metadata, involvedObject: { kind: 'Pod', name: 'p' }, source: { component: 'scheduler', host: 'h' }, message: 'm\n', lastTimestamp: CREATED };
  assert.deepEqual(cells('events', event), ['10m', '', '', 'pod/p', '', 'scheduler, h', 'm', '<unknown>', 1, 'x']);
});

test('durations change their units as kubectl prints them', () => {
  const texts = [119, 120, 310, 600, 3 * 3600, 4 * 3600 + 60, 47 * 3600, 50 * 3600, 400 * 86400, 800 * 86400].map((seconds) => humanDuration(seconds * 1000));
  assert.deepEqual(texts, ['119s', '2m', '5m10s', '10m', '3h', '4h1m', '47h', '2d2h', '400d', '2y70d']);
});
