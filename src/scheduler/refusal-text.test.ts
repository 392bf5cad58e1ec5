/** Tests of the refusal texts against recorded ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodesRefusedText, podRefusedText } from './refusal-text.ts';

test('reasons of several nodes are counted and sorted as upstream prints them', () => {
  const refusals = [
    { nodeName: 'n1', reasons: ['node(s) were unschedulable'], preemptionHelps: false },
    { nodeName: 'n2', reasons: ['Insufficient cpu'], preemptionHelps: false },
    { nodeName: 'n3', reasons: ['cannot allocate all claims'], preemptionHelps: false },
  ];
  assert.equal(
    nodesRefusedText(refusals, 'still not schedulable'),
    '0/3 nodes are available: 1 Insufficient cpu, 1 cannot allocate all claims, 1 node(s) were unschedulable. still not schedulable, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
  );
});

test('nodes that other pods fill up are told apart in the preemption part', () => {
  const refusals = [
    { nodeName: 'n1', reasons: ['Insufficient example.com/gpu'], preemptionHelps: true },
    { nodeName: 'n2', reasons: ['cannot allocate all claims'], preemptionHelps: false },
  ];
  assert.equal(
    nodesRefusedText(refusals, 'still not schedulable'),
    '0/2 nodes are available: 1 Insufficient example.com/gpu, 1 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
  );
});

test('a refusal before any node is looked at has no count', () => {
  assert.equal(
    podRefusedText(1, 'request gpu: device class gpu does not exist'),
    '0/1 nodes are available: request gpu: device class gpu does not exist. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  );
});
