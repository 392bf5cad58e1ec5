/** What quotas count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, ResourceClaim } from '#api';
import { countsResource, quotaStatus } from './quota-status.ts';

const PODS = { group: '', plural: 'pods' };
const CLAIMS = { group: 'resource.k8s.io', plural: 'resourceclaims' };
const WORLD = { countsExtended: true, extendedResourceOf: (name: string) => (name === 'gpu' ? 'example.com/gpu' : undefined), podOf: () => undefined };
const DEVICES = 'gpu.deviceclass.resource.k8s.io/devices';

function pod(cpu: string, more: Partial<Pod> = {}): Pod {
  const containers = [{ name: 'c', image: 'i', resources: { requests: { cpu }, limits: { cpu: '4' } } }];
  const initContainers = [{ name: 'init', image: 'i', resources: { requests: { cpu: '3' } } }];
  return { metadata: { name: 'p' }, spec: { containers, initContainers }, ...more };
}

function claim(...requests: readonly object[]): ResourceClaim {
  return { metadata: { name: 'c' }, spec: { devices: { requests } } } as unknown as ResourceClaim;
}

test('pods count by what their containers ask for together, or an init container alone; ended ones count as objects', () => {
  const quota = { metadata: {}, spec: { hard: { 'requests.cpu': '9', 'limits.cpu': '9', pods: '9', 'count/pods': '9' } } };
  const ended = pod('1', { status: { phase: 'Succeeded' } });
  const { used } = quotaStatus(quota, [{ ...PODS, objects: [pod('500m'), pod('3500m'), ended] }], WORLD);
  assert.deepEqual(used, { 'requests.cpu': '6500m', 'limits.cpu': '8', pods: '2', 'count/pods': '3' });
});

test('claims count devices by class: all of them at worst, and the largest of alternatives', () => {
  const implicit = 'requests.deviceclass.resource.kubernetes.io/gpu';
  const hard = { [DEVICES]: '99', 'requests.example.com/gpu': '99', [implicit]: '99', 'count/resourceclaims.resource.k8s.io': '9' };
  const exact = { name: 'a', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 } };
  const all = { name: 'b', exactly: { deviceClassName: 'gpu', allocationMode: 'All' } };
  const either = { name: 'c', firstAvailable: [4, 3].map((count) => ({ name: 'x', deviceClassName: 'gpu', allocationMode: 'ExactCount', count })) };
  const { used } = quotaStatus({ metadata: {}, spec: { hard } }, [{ ...CLAIMS, objects: [claim(exact), claim(all, either)] }], WORLD);
  assert.deepEqual(used, { [DEVICES]: '38', 'requests.example.com/gpu': '38', [implicit]: '38', 'count/resourceclaims.resource.k8s.io': '2' });
});

test('a quota with scopes counts the pods of these scopes only', () => {
  const quota = { metadata: {}, spec: { hard: { pods: '9' }, scopes: ['NotBestEffort' as const] } };
  const idle: Pod = { metadata: { name: 'idle' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  assert.deepEqual(quotaStatus(quota, [{ ...PODS, objects: [idle, pod('1')] }], WORLD).used, { pods: '1' });
});

test('only resources that a name of the quota is about are looked at', () => {
  assert.ok(countsResource([DEVICES], 'resource.k8s.io', 'resourceclaims'));
  assert.ok(!countsResource([DEVICES], '', 'pods'));
  assert.ok(countsResource(['cpu'], '', 'pods'));
  assert.ok(countsResource(['count/deployments.apps'], 'apps', 'deployments'));
  assert.ok(!countsResource(['secrets'], '', 'pods'));
  assert.ok(!countsResource(['count/events'], '', 'events'), 'events are never counted');
});
