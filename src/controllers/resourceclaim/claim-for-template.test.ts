/** Tests of generated claims. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimForTemplate, generateNameFor, templateObstacle } from './claim-for-template.ts';

const pod = { metadata: { name: 'p1', namespace: 'ns', uid: 'u1' } };
const template = {
  metadata: { name: 't', namespace: 'ns' },
  spec: {
    metadata: { labels: { team: 'a' }, annotations: { note: 'kept' } },
    spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu', adminAccess: true } }] } },
  },
};

test('a generated claim carries the template, the entry and its owner', () => {
  assert.deepEqual(claimForTemplate(pod, 'gpu', template), {
    metadata: {
      generateName: 'p1-gpu-',
      namespace: 'ns',
      labels: { team: 'a' },
      annotations: { note: 'kept', 'resource.kubernetes.io/pod-claim-name': 'gpu' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p1', uid: 'u1', controller: true }],
    },
    spec: template.spec.spec,
  });
});

test('long names are cut in proportion and leave room for the random part', () => {
  assert.equal(generateNameFor('pod', 'gpu'), 'pod-gpu-');
  const name = generateNameFor('p'.repeat(60), 'e'.repeat(20));
  assert.equal(name, `${'p'.repeat(42)}-${'e'.repeat(14)}`);
  assert.ok(name.length + 5 <= 63);
});

test('a template that needs a feature that is off is refused', () => {
  assert.equal(templateObstacle(template, new Map([['DRAAdminAccess', false]])), 'admin access is requested, but the feature is disabled');
  assert.equal(templateObstacle(template, new Map([['DRAAdminAccess', true]])), undefined);
});
