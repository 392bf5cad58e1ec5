/** Tests of the refusal texts against recorded ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodesRefusedText, podRefusedText } from './refusal-text.ts';

const NOT_HELPFUL = 'Preemption is not helpful for scheduling';

test('reasons of several nodes are counted and sorted as upstream prints them', () => {
  const reasons = ['node(s) were unschedulable', 'Insufficient cpu', 'cannot allocate all claims'];
  assert.equal(
    nodesRefusedText({ nodes: 3, reasons, claims: 'still not schedulable', preemption: [NOT_HELPFUL, NOT_HELPFUL, NOT_HELPFUL] }),
    '0/3 nodes are available: 1 Insufficient cpu, 1 cannot allocate all claims, 1 node(s) were unschedulable. still not schedulable, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
  );
});

test('nodes that other pods fill up are told apart in the preemption part', () => {
  const reasons = ['Insufficient example.com/gpu', 'cannot allocate all claims'];
  assert.equal(
    nodesRefusedText({ nodes: 2, reasons, claims: 'still not schedulable', preemption: ['No preemption victims found for incoming pod', NOT_HELPFUL] }),
    '0/2 nodes are available: 1 Insufficient example.com/gpu, 1 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
  );
});

test('a pod that may not preempt is told so, and one that does is told the reasons alone', () => {
  const parts = { nodes: 1, reasons: ['Insufficient cpu'], claims: 'no new claims to deallocate' };
  assert.equal(
    nodesRefusedText({ ...parts, preemption: 'not eligible due to preemptionPolicy=Never.' }),
    '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.',
  );
  assert.equal(nodesRefusedText(parts), '0/1 nodes are available: 1 Insufficient cpu.');
});

test('a refusal before any node is looked at has no count', () => {
  assert.equal(
    podRefusedText(1, 'request gpu: device class gpu does not exist'),
    '0/1 nodes are available: request gpu: device class gpu does not exist. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  );
});
