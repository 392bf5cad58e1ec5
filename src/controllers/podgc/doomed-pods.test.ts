/** Tests of which pods the pod garbage collector removes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '#api';
import { doomedPods, missingNodes } from './doomed-pods.ts';

function pod(
  name: string,
  more: {
    nodeName?: string;
    phase?: NonNullable<Pod['status']>['phase'];
    going?: boolean;
    created?: string;
  } = {},
): Pod {
  const { nodeName, phase, going = false, created } = more;
  return {
    metadata: { name, namespace: 'default', creationTimestamp: created, ...(going ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { containers: [], ...(nodeName === undefined ? {} : { nodeName }) },
    status: phase === undefined ? {} : { phase },
  };
}

const NODE: Node = { metadata: { name: 'n1' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } };

/** The names of the pods that go, with the message if there is one. */
function doomed(pods: readonly Pod[], more: { nodes?: readonly Node[]; gone?: readonly string[]; threshold?: number } = {}): readonly (string | undefined)[] {
  const { nodes = [NODE], gone = [], threshold = 100 } = more;
  return doomedPods({ pods, nodes, goneNodes: new Set(gone), threshold }).map((one) =>
    one.message === undefined ? one.pod.metadata.name : `${String(one.pod.metadata.name)}: ${one.message}`,
  );
}

test('pods of a node that is gone go, others stay', () => {
  const pods = [pod('a', { nodeName: 'gone' }), pod('b', { nodeName: 'n1' }), pod('c')];
  assert.deepEqual(doomed(pods, { gone: ['gone'] }), ['a: PodGC: node no longer exists']);
  assert.deepEqual([...missingNodes(pods, [NODE])], ['gone']);
});

test('a pod deleted before it had a node goes at once', () => {
  assert.deepEqual(doomed([pod('a', { going: true }), pod('b', { going: true, nodeName: 'n1' })]), ['a']);
});

test('pods that are going on a node out of service go', () => {
  const dead: Node = { metadata: { name: 'dead' }, spec: { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] } };
  assert.deepEqual(doomed([pod('a', { going: true, nodeName: 'dead' }), pod('b', { nodeName: 'dead' })], { nodes: [dead] }), ['a']);
});

test('of too many finished pods the oldest go', () => {
  const pods = ['03', '01', '02'].map((day) => pod(day, { phase: 'Succeeded', nodeName: 'n1', created: `2026-01-${day}T00:00:00Z` }));
  assert.deepEqual(doomed(pods, { threshold: 2 }), ['01']);
});
