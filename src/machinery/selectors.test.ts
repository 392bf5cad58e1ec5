/** Selectors answer as upstream does: recorded exchanges and the corner cases that matter to callers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldSelectorText, matchesFieldRequirements, parseFieldSelector } from './field-selector.ts';
import { labelSelectorRequirements, labelSelectorText, matchesLabelSelector, parseLabelRequirements, parseLabelSelector } from './label-selector.ts';
import type { LabelSelector } from './meta.ts';
import { matchesNodeSelector, matchesNodeSelectorLazily, matchesNodeSelectorTerm, type NodeTerms } from './node-selector.ts';
import { vectors } from './vectors.test.ts';

type Labels = Record<string, string>;
interface Want {
  error?: string;
  canonical?: string;
  empty?: boolean;
  match?: boolean;
  lazy?: { match?: boolean; error?: string };
}

function answer(decide: () => Want): Want {
  try {
    return decide();
  } catch (error) {
    assert.ok(error instanceof Error);
    return { error: error.message };
  }
}

test('label selectors answer as recorded', () => {
  for (const record of vectors<{ id: string; op: string; selector: string; object: LabelSelector; labels: Labels; want: Want }>('selectors-label')) {
    const got = answer(() => {
      const text = record.op === 'labelSelector';
      const requirements = text ? parseLabelRequirements(record.selector) : labelSelectorRequirements(record.object);
      const match = text ? parseLabelSelector(record.selector)(record.labels) : matchesLabelSelector(record.object, record.labels);
      return requirements.length === 0 ? { empty: true, match } : { canonical: labelSelectorText(requirements), match };
    });
    assert.deepEqual(got, record.want, `${record.id} ${record.selector}`);
  }
});

test('field selectors answer as recorded', () => {
  for (const record of vectors<{ id: string; selector: string; fields: Labels; want: Want }>('selectors-field')) {
    const got = answer(() => {
      const requirements = parseFieldSelector(record.selector);
      const match = matchesFieldRequirements(requirements, (field) => record.fields[field] ?? '');
      return requirements.length === 0 ? { empty: true, match } : { canonical: fieldSelectorText(requirements), match };
    });
    assert.deepEqual(got, record.want, `${record.id} ${record.selector}`);
  }
});

test('node selectors answer as recorded, for the allocator and for pod affinity', () => {
  for (const record of vectors<{ id: string; nodeSelector: NodeTerms; node: { metadata: { name: string; labels?: Labels } }; want: Want }>('selectors-node')) {
    const { name, labels } = record.node.metadata;
    const got = answer(() => ({ match: matchesNodeSelector(record.nodeSelector, { name, labels }) }));
    const lazy = answer(() => ({ match: matchesNodeSelectorLazily(record.nodeSelector, { name, labels }) }));
    assert.deepEqual({ ...got, lazy }, record.want, record.id);
  }
});

test('an absent label selector matches nothing, an empty one everything', () => {
  assert.equal(matchesLabelSelector(undefined, { a: 'b' }), false);
  assert.equal(matchesLabelSelector({}, undefined), true);
});

test('an empty node selector term matches no node', () => {
  assert.equal(matchesNodeSelectorTerm({}, { name: 'n' }), false);
  assert.equal(matchesNodeSelectorTerm({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }, { name: 'n' }), true);
});
