/** Tests of the node filters: order, texts and arithmetic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, PodSpec } from '#api';
import { nodeRefusal, nodeRefusals, podRequests } from './index.ts';

const node: Node = {
  metadata: { name: 'node-1', labels: { zone: 'a' } },
  spec: {},
  status: { allocatable: { cpu: '2', memory: '4Gi', pods: '3' } },
};

function pod(spec: Partial<PodSpec> = {}): Pod {
  return { metadata: { name: 'p' }, spec: { containers: [{ name: 'c' }], ...spec } };
}

function asking(requests: Readonly<Record<string, string>>): Pod {
  return pod({ containers: [{ name: 'c', resources: { requests } }] });
}

test('a pod without wishes fits on an empty node', () => {
  assert.equal(nodeRefusal(pod(), node, []), undefined);
});

test('an unschedulable node is refused unless its taint is tolerated', () => {
  const cordoned: Node = { ...node, spec: { unschedulable: true } };
  assert.equal(nodeRefusal(pod(), cordoned, []), 'node(s) were unschedulable');
  const tolerant = pod({ tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] });
  assert.equal(nodeRefusal(tolerant, cordoned, []), undefined);
});

test('a pod that names another node is refused', () => {
  assert.equal(nodeRefusal(pod({ nodeName: 'node-2' }), node, []), "node(s) didn't match the requested node name");
});

test('untolerated NoSchedule and NoExecute taints refuse, PreferNoSchedule does not', () => {
  const tainted = (effect: 'NoSchedule' | 'NoExecute' | 'PreferNoSchedule'): Node => ({ ...node, spec: { taints: [{ key: 'k', value: '5', effect }] } });
  assert.equal(nodeRefusal(pod(), tainted('NoSchedule'), []), 'node(s) had untolerated taint(s)');
  assert.equal(nodeRefusal(pod(), tainted('NoExecute'), []), 'node(s) had untolerated taint(s)');
  assert.equal(nodeRefusal(pod(), tainted('PreferNoSchedule'), []), undefined);
  assert.equal(nodeRefusal(pod({ tolerations: [{ key: 'k', value: '5' }] }), tainted('NoSchedule'), []), undefined);
  assert.equal(nodeRefusal(pod({ tolerations: [{ key: 'k', operator: 'Gt', value: '4' }] }), tainted('NoSchedule'), []), undefined);
  assert.equal(nodeRefusal(pod({ tolerations: [{ key: 'k', operator: 'Lt', value: '4' }] }), tainted('NoSchedule'), []), 'node(s) had untolerated taint(s)');
});

test('node selector and required affinity must both match', () => {
  const affinity = (zone: string): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }] },
      },
    },
  });
  const text = "node(s) didn't match Pod's node affinity/selector";
  assert.equal(nodeRefusal(pod({ nodeSelector: { zone: 'b' } }), node, []), text);
  assert.equal(nodeRefusal(pod({ nodeSelector: { zone: 'a' }, ...affinity('b') }), node, []), text);
  assert.equal(nodeRefusal(pod({ nodeSelector: { zone: 'a' }, ...affinity('a') }), node, []), undefined);
});

test('host ports collide by address, protocol and number', () => {
  const wanting = (hostPort: number, hostIP?: string): Pod => pod({ containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort, hostIP }] }] });
  const text = "node(s) didn't have free ports for the requested pod ports";
  assert.equal(nodeRefusal(wanting(80), node, [wanting(80, '10.0.0.1')]), text);
  assert.equal(nodeRefusal(wanting(80, '10.0.0.2'), node, [wanting(80, '10.0.0.1')]), undefined);
  assert.equal(nodeRefusal(wanting(81), node, [wanting(80)]), undefined);
});

test('every lacking resource is reported, cpu and memory first', () => {
  const greedy = asking({ 'example.com/gpu': '1', memory: '5Gi', cpu: '2500m' });
  assert.deepEqual(nodeRefusals(greedy, node, []), ['Insufficient cpu', 'Insufficient memory', 'Insufficient example.com/gpu']);
  assert.equal(nodeRefusal(asking({ cpu: '1500m' }), node, [asking({ cpu: '501m' })]), 'Insufficient cpu');
  assert.equal(nodeRefusal(asking({ cpu: '1500m' }), node, [asking({ cpu: '500m' })]), undefined);
});

test('the number of pods is limited', () => {
  assert.equal(nodeRefusal(pod(), node, [pod(), pod(), pod()]), 'Too many pods');
});

test('init containers need room on top of the sidecars before them only', () => {
  const requests = podRequests(
    pod({
      containers: [{ name: 'main', resources: { requests: { cpu: '1' } } }],
      initContainers: [
        { name: 'early', resources: { requests: { cpu: '3' } } },
        { name: 'sidecar', restartPolicy: 'Always', resources: { requests: { cpu: '2' } } },
        { name: 'late', resources: { requests: { cpu: '1500m' } } },
      ],
      overhead: { cpu: '100m' },
    }),
  );
  assert.equal(requests.get('cpu')?.toString(), '3600m');
});
