/** Rules that roles collect from others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterRole } from '#api';
import { aggregatedRules } from './aggregated-rules.ts';

const read = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const write = { verbs: ['create'], apiGroups: [''], resources: ['pods'] };
const role = (name: string, label: string, ...rules: readonly (typeof read)[]): ClusterRole => ({ metadata: { name, labels: { [label]: 'true' } }, rules });
const edit: ClusterRole = {
  metadata: { name: 'edit' },
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'true' } }, { matchLabels: { b: 'true' } }] },
};

test('rules come from all roles that a selector chooses, each once, in order', () => {
  const all = [edit, role('z', 'a', read, write), role('y', 'a', write), role('x', 'b', read), role('other', 'c', read)];
  assert.deepEqual(aggregatedRules(edit, all), [write, read]);
});

test('a role without an aggregation rule keeps its own', () => {
  assert.equal(aggregatedRules(role('x', 'a', read), []), undefined);
});
