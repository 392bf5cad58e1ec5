/** Tests of the steps of a rollout. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from '#api';
import { deploymentStatus } from './deployment-status.ts';
import { currentSet, nextScalings, rollingLimits, TEMPLATE_HASH_LABEL, templateHash } from './rollout.ts';

const SELECTOR = { matchLabels: { app: 'w' } };

function deployment(replicas: number, more: Partial<NonNullable<Deployment['spec']>> = {}): Deployment {
  return { metadata: { name: 'w', generation: 1 }, spec: { replicas, selector: SELECTOR, template: { metadata: { labels: { app: 'w' } } }, ...more } };
}

function set(name: string, replicas: number, available: number): ReplicaSet {
  const labels = { [TEMPLATE_HASH_LABEL]: name };
  return {
    metadata: { name, uid: name, labels },
    spec: { replicas, selector: SELECTOR },
    status: { replicas, availableReplicas: available, readyReplicas: available },
  };
}

/** The steps as `set:replicas`. */
function steps(of: Deployment, current: ReplicaSet, others: readonly ReplicaSet[], pods: readonly Pod[] = []): readonly string[] {
  return nextScalings(of, current, others, pods).map((scaling) => `${String(scaling.set.metadata.name)}:${String(scaling.replicas)}`);
}

test('a first set is scaled up at once, and down when fewer are wanted', () => {
  assert.deepEqual(steps(deployment(3), set('new', 0, 0), []), ['new:3']);
  assert.deepEqual(steps(deployment(1), set('new', 3, 3), []), ['new:1']);
  assert.deepEqual(steps(deployment(3), set('new', 3, 3), []), []);
});

test('an update never has more than the surge and never fewer available than allowed', () => {
  const of = deployment(10, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } } });
  assert.deepEqual(steps(of, set('new', 0, 0), [set('old', 10, 10)]), ['new:2']);
  assert.deepEqual(steps(of, set('new', 2, 0), [set('old', 10, 10)]), ['old:9'], 'one may be missing');
  assert.deepEqual(steps(of, set('new', 2, 0), [set('old', 9, 9)]), ['new:3']);
  assert.deepEqual(steps(of, set('new', 3, 0), [set('old', 9, 9)]), [], 'until new ones are available');
  assert.deepEqual(steps(of, set('new', 3, 2), [set('old', 9, 9)]), ['old:7']);
  assert.deepEqual(steps(of, set('new', 10, 10), [set('old', 2, 2)]), ['old:0']);
});

test('old pods that are not available go first', () => {
  const of = deployment(4, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } });
  assert.deepEqual(steps(of, set('new', 1, 1), [set('old', 4, 3)]), ['old:3']);
});

test('recreate waits until the last old pod has ended', () => {
  const of = deployment(2, { strategy: { type: 'Recreate' } });
  const pod: Pod = { metadata: { name: 'p', labels: { [TEMPLATE_HASH_LABEL]: 'old' } } };
  assert.deepEqual(steps(of, set('new', 0, 0), [set('old', 2, 2)]), ['old:0']);
  assert.deepEqual(steps(of, set('new', 0, 0), [set('old', 0, 0)], [pod]), []);
  assert.deepEqual(steps(of, set('new', 0, 0), [set('old', 0, 0)], [{ ...pod, status: { phase: 'Succeeded' } }]), ['new:2']);
});

test('a paused deployment changes its size but not its template', () => {
  assert.deepEqual(steps(deployment(5, { paused: true }), set('new', 0, 0), [set('old', 2, 2)]), ['old:5']);
  assert.deepEqual(steps(deployment(5, { paused: true }), set('new', 1, 1), [set('old', 2, 2)]), []);
});

test('percentages are rounded up for the surge and down for what may be missing, and never are both nothing', () => {
  assert.deepEqual(rollingLimits(deployment(10), 10), { surge: 3, unavailable: 2 });
  assert.deepEqual(rollingLimits(deployment(1, { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '10%' } } }), 1), { surge: 0, unavailable: 1 });
});

test('the set of a template is found whatever its hash, and templates have stable hashes', () => {
  const own = deployment(1);
  const labels = { app: 'w', [TEMPLATE_HASH_LABEL]: 'x' };
  const same: ReplicaSet = { metadata: { name: 'w-x' }, spec: { selector: SELECTOR, template: { metadata: { labels } } } };
  const another: ReplicaSet = {
    metadata: { name: 'w-y' },
    spec: { selector: SELECTOR, template: { metadata: { labels }, spec: { containers: [{ name: 'c' }] } } },
  };
  assert.equal(currentSet(own, [another, same])?.metadata.name, 'w-x');
  assert.equal(currentSet(own, [another]), undefined);
  const template = own.spec?.template ?? {};
  assert.equal(templateHash(template, 0), templateHash(template, 0));
  assert.notEqual(templateHash(template, 0), templateHash(template, 1));
});

test('the status counts all sets, and says when the newest has taken over', () => {
  const reasons = (status: DeploymentStatus): readonly string[] =>
    (status.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value} ${String(reason)}`);
  const during = deploymentStatus(deployment(2), set('new', 1, 0), [set('old', 2, 1)], 'now');
  assert.deepEqual([during.replicas, during.updatedReplicas, during.availableReplicas, during.unavailableReplicas], [3, 1, 1, 2]);
  assert.deepEqual(reasons(during), ['Available=False MinimumReplicasUnavailable', 'Progressing=True ReplicaSetUpdated']);
  assert.deepEqual(reasons(deploymentStatus(deployment(2), set('new', 2, 2), [], 'now')), [
    'Available=True MinimumReplicasAvailable',
    'Progressing=True NewReplicaSetAvailable',
  ]);
});
