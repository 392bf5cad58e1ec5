/** Preemption on a whole control plane: who has to go, what is said about it, and who waits. No recording exists; the texts are upstream's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { play, type Scenario } from './player.ts';

const NODE = (name: string, cpu: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name } },
  status: { allocatable: { cpu, memory: '16Gi', pods: '110' }, capacity: { cpu, memory: '16Gi', pods: '110' } },
});
const CLASS = (name: string, value: number, more = {}) => ({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value, ...more });
const POD = (name: string, priorityClassName: string, cpu: string, more = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { priorityClassName, containers: [{ name: 'main', image: 'none', resources: { requests: { cpu } } }], ...more },
});
const CLASSES = [CLASS('low', 1), CLASS('middle', 10), CLASS('high', 100), CLASS('polite', 100, { preemptionPolicy: 'Never' })];
const SCHEDULED = { status: { conditions: [{ type: 'PodScheduled', status: 'True' }] } };
const REFUSED = { status: { conditions: [{ type: 'PodScheduled', status: 'False' }] } };

async function expectPlayed(steps: Scenario['steps']): Promise<void> {
  assert.deepEqual(await play({ name: 'preemption', variant: 'default', steps }), []);
}

test('a pod of higher priority makes the least important pod go, waits for its end and takes its room', () =>
  expectPlayed([
    { create: [NODE('n1', '3'), ...CLASSES] },
    { create: [POD('a', 'low', '1')] },
    { until: 'pods/a', has: SCHEDULED },
    { create: [POD('b', 'middle', '2')] },
    { until: 'pods/b', has: SCHEDULED },
    { create: [POD('important', 'high', '1')] },
    { until: 'pods/a', has: { status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] } } },
    { settle: 700 },
    {
      snapshot: 'preempting',
      kinds: ['pods', 'events'],
      expect: {
        pods: {
          a: {
            deleting: true,
            nodeName: 'n1',
            phase: 'Pending',
            conditions: [
              {
                type: 'DisruptionTarget',
                status: 'True',
                reason: 'PreemptionByScheduler',
                message: 'default-scheduler: preempting to accommodate a higher priority pod',
              },
              { type: 'PodScheduled', status: 'True' },
            ],
          },
          b: { nodeName: 'n1', phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] },
          important: {
            phase: 'Pending',
            nominatedNodeName: 'n1',
            conditions: [
              { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: { $match: '0/1 nodes are available: 1 Insufficient cpu\\..*' } },
            ],
          },
        },
        events: [
          {
            type: 'Normal',
            reason: 'Scheduled',
            from: 'default-scheduler',
            object: 'Pod/a',
            action: 'Binding',
            message: 'Successfully assigned default/a to n1',
          },
          {
            type: 'Normal',
            reason: 'Scheduled',
            from: 'default-scheduler',
            object: 'Pod/b',
            action: 'Binding',
            message: 'Successfully assigned default/b to n1',
          },
          {
            type: 'Normal',
            reason: 'Preempted',
            from: 'default-scheduler',
            object: 'Pod/a',
            action: 'Preempting',
            message: 'Preempted by pod <uid of pods/important> on node n1',
          },
          {
            type: 'Warning',
            reason: 'FailedScheduling',
            from: 'default-scheduler',
            object: 'Pod/important',
            action: 'Scheduling',
            message: '0/1 nodes are available: 1 Insufficient cpu.',
          },
        ],
        deletedPods: [],
      },
    },
    { delete: 'pods/a' },
    { until: 'pods/important', has: { spec: { nodeName: 'n1' } } },
  ]));

test('the room that was made is kept for the pod: one of lower priority does not slip in', () =>
  expectPlayed([
    { create: [NODE('n1', '2'), ...CLASSES, POD('a', 'low', '2')] },
    { until: 'pods/a', has: SCHEDULED },
    { create: [POD('important', 'high', '2')] },
    { until: 'pods/important', has: { status: { nominatedNodeName: 'n1' } } },
    { create: [POD('late', 'middle', '1')] },
    { until: 'pods/late', has: REFUSED },
    { delete: 'pods/a' },
    { until: 'pods/important', has: SCHEDULED },
    { until: 'pods/late', has: { ...REFUSED, spec: { nodeName: null } } },
  ]));

test('a pod that may not preempt, and one that nobody is less important than, wait', () =>
  expectPlayed([
    { create: [NODE('n1', '2'), ...CLASSES, POD('a', 'middle', '2')] },
    { until: 'pods/a', has: SCHEDULED },
    { create: [POD('polite', 'polite', '1'), POD('equal', 'middle', '1')] },
    { until: 'pods/polite', has: REFUSED },
    { until: 'pods/equal', has: REFUSED },
    { settle: 700 },
    {
      until: 'events',
      has: {
        involvedObject: { name: 'polite' },
        message: '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.',
      },
    },
    {
      until: 'events',
      has: {
        involvedObject: { name: 'equal' },
        message:
          '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
      },
    },
    { until: 'pods/a', has: { metadata: { deletionTimestamp: null } } },
  ]));

test('of two nodes the one with the less important victim is chosen, and fewer pods go rather than more', () =>
  expectPlayed([
    { create: [NODE('n1', '2'), NODE('n2', '2'), ...CLASSES] },
    {
      create: [
        POD('a', 'middle', '2', { nodeSelector: { 'kubernetes.io/hostname': 'n1' } }),
        POD('b', 'low', '1', { nodeSelector: { 'kubernetes.io/hostname': 'n2' } }),
      ],
    },
    { create: [POD('c', 'low', '1', { nodeSelector: { 'kubernetes.io/hostname': 'n2' } })] },
    { until: 'pods/a', has: SCHEDULED },
    { until: 'pods/b', has: SCHEDULED },
    { until: 'pods/c', has: SCHEDULED },
    { create: [POD('important', 'high', '1')] },
    { until: 'pods/important', has: { status: { nominatedNodeName: 'n2' } } },
    { settle: 700 },
    { until: 'pods', has: { status: { conditions: [{ type: 'DisruptionTarget' }] } }, count: 1 },
    { until: 'pods/a', has: { metadata: { deletionTimestamp: null } } },
  ]));
