/** Tests of which claims a pod uses, and for whom it reserves them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodGroup, PodResourceClaim, ResourceClaim } from '#api';
import { consumerOf, resolveClaims } from './pod-claims.ts';

const FROM_TEMPLATE: PodResourceClaim = { name: 'gpu', resourceClaimTemplateName: 't' };

function pod(entries: readonly PodResourceClaim[], recorded: Readonly<Record<string, string | undefined>> = {}): Pod {
  const resourceClaimStatuses = Object.entries(recorded).map(([name, resourceClaimName]) => ({ name, resourceClaimName }));
  return { metadata: { name: 'p', namespace: 'default', uid: 'pod' }, spec: { containers: [], resourceClaims: entries }, status: { resourceClaimStatuses } };
}

function claim(name: string, ownerUid?: string): ResourceClaim {
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'owner', uid: ownerUid ?? '', controller: true };
  return { metadata: { name, namespace: 'default', uid: name, ...(ownerUid === undefined ? {} : { ownerReferences: [owner] }) }, spec: {} };
}

const GROUP: PodGroup = {
  metadata: { name: 'g', uid: 'group' },
  spec: { schedulingPolicy: {}, resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] },
};

/** The names of the claims, or why there are none. */
function resolved(of: Pod, claims: readonly ResourceClaim[], group?: PodGroup): string {
  const result = resolveClaims(of, (key) => claims.find(({ metadata }) => key === `default/${String(metadata.name)}`), group);
  return result.ok ? result.claims.map(({ metadata }) => metadata.name).join() : result.reason;
}

test('claims are found by name or by what the status records, each once', () => {
  const of = pod([{ name: 'a', resourceClaimName: 'x' }, { name: 'b', resourceClaimName: 'x' }, FROM_TEMPLATE], { gpu: 'made' });
  assert.equal(resolved(of, [claim('x'), claim('made', 'pod')]), 'x,made');
  assert.equal(resolved(pod([FROM_TEMPLATE], { gpu: undefined }), []), '', 'deliberately none');
});

test('what stands in the way is said as upstream says it', () => {
  assert.equal(resolved(pod([FROM_TEMPLATE]), []), 'pod "default/p": ResourceClaim not created yet');
  assert.equal(resolved(pod([{ name: 'a', resourceClaimName: 'x' }]), []), 'resourceclaim.resource.k8s.io "x" not found');
  assert.equal(
    resolved(pod([FROM_TEMPLATE], { gpu: 'made' }), [claim('made', 'other')]),
    'ResourceClaim default/made was not created for Pod default/p (Pod is not owner)',
  );
});

test('a claim made for the group is the pod’s to use if their entries agree, and is reserved for the group', () => {
  const of = pod([FROM_TEMPLATE], { gpu: 'shared' });
  const shared = claim('shared', 'group');
  assert.equal(resolved(of, [shared], GROUP), 'shared');
  assert.deepEqual(consumerOf(of, shared, GROUP), { apiGroup: 'scheduling.k8s.io', resource: 'podgroups', name: 'g', uid: 'group' });
  const another = pod([{ name: 'gpu', resourceClaimTemplateName: 'another' }], { gpu: 'shared' });
  assert.match(resolved(another, [shared], GROUP), /neither Pod nor PodGroup g is the owner/);
  assert.equal(consumerOf(of, shared, undefined).uid, 'pod');
});
