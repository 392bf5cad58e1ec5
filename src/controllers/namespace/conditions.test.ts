/** Tests of the conditions of a terminating namespace, against texts of a real controller. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaceConditions } from './conditions.ts';

test('content and finalizers that remain are counted', () => {
  const conditions = namespaceConditions({
    contentErrors: [],
    remaining: [
      { resource: 'resourceclaims.resource.k8s.io', count: 2, finalizers: new Map([['resource.kubernetes.io/delete-protection', 2]]) },
      { resource: 'pods', count: 1, finalizers: new Map([['example.com/a', 1]]) },
      { resource: 'secrets', count: 0, finalizers: new Map() },
    ],
  });
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
    [
      'NamespaceDeletionDiscoveryFailure=False ResourcesDiscovered',
      'NamespaceDeletionGroupVersionParsingFailure=False ParsedGroupVersions',
      'NamespaceDeletionContentFailure=False ContentDeleted',
      'NamespaceContentRemaining=True SomeResourcesRemain',
      'NamespaceFinalizersRemaining=True SomeFinalizersRemain',
    ],
  );
  assert.equal(conditions[3]?.message, 'Some resources are remaining: pods has 1 resource instances, resourceclaims.resource.k8s.io has 2 resource instances');
  assert.equal(
    conditions[4]?.message,
    'Some content in the namespace has finalizers remaining: example.com/a in 1 resource instances, resource.kubernetes.io/delete-protection in 2 resource instances',
  );
});

test('when nothing is left all conditions are false', () => {
  assert.ok(namespaceConditions({ contentErrors: [], remaining: [] }).every(({ status }) => status === 'False'));
});

test('what failed is told', () => {
  const conditions = namespaceConditions({ contentErrors: ['pods: no', 'secrets: no'], remaining: [], discoveryError: 'the server is ill' });
  assert.deepEqual(
    conditions.filter(({ status }) => status === 'True').map(({ reason, message }) => [reason, message]),
    [
      ['DiscoveryFailed', 'the server is ill'],
      ['ContentDeletionFailed', 'pods: no, secrets: no'],
    ],
  );
});
