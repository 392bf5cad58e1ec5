/** Tests of extended resources that classes stand for: names, requests and mappings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, DeviceClass, Pod } from '#api';
import { classBackedResources, classesByResource, extendedClaimFor } from './extended-resources.ts';

const GPU = 'example.com/gpu';

function deviceClass(name: string, extendedResourceName: string, creationTimestamp: string): DeviceClass {
  return { metadata: { name, creationTimestamp }, spec: { extendedResourceName } };
}

function container(name: string, requests: Readonly<Record<string, string>>, more: Partial<Container> = {}): Container {
  return { name, resources: { requests }, ...more };
}

function pod(containers: readonly Container[], initContainers: readonly Container[] = []): Pod {
  return { metadata: { name: 'p', namespace: 'default', uid: 'u' }, spec: { containers, initContainers } };
}

/** `container: request` of each mapping, and `request: count` of each request. */
function claimFor(of: Pod, ...resources: string[]): { mappings: readonly string[]; requests: readonly string[] } {
  const { claim, requestMappings } = extendedClaimFor(of, new Map(resources.map((resource) => [resource, 'class'])));
  return {
    mappings: requestMappings.map((mapping) => `${mapping.containerName}: ${mapping.requestName}`),
    requests: (claim.spec.devices?.requests ?? []).map((request) => `${request.name}: ${String(request.exactly?.count)}`),
  };
}

test('the newest class stands for a resource, of two equally old ones the first by name', () => {
  const classes = [
    deviceClass('b', GPU, '2026-01-01T00:00:00Z'),
    deviceClass('a', GPU, '2026-01-01T00:00:00Z'),
    deviceClass('old', GPU, '2025-01-01T00:00:00Z'),
  ];
  assert.deepEqual([...classesByResource(classes)], [[GPU, 'a']]);
  assert.deepEqual([...classesByResource([...classes, deviceClass('new', GPU, '2026-02-01T00:00:00Z')])], [[GPU, 'new']]);
});

test('a resource is backed by its class, or by the class that its name spells', () => {
  const of = pod([container('c', { cpu: '1', [GPU]: '1', 'example.com/nic': '1', 'deviceclass.resource.kubernetes.io/fast': '2', 'example.com/none': '0' })]);
  const backed = classBackedResources(
    of,
    new Map([
      [GPU, 'gpu'],
      ['example.com/none', 'none'],
    ]),
    (name) => name === 'fast',
  );
  assert.deepEqual(Object.fromEntries(backed), {
    'deviceclass.resource.kubernetes.io/fast': 'fast',
    [GPU]: 'gpu',
  });
});

test('requests are numbered by container and by place among all that the container requests', () => {
  const of = pod([container('a', { cpu: '1', [GPU]: '1' }), container('b', { [GPU]: '2' }), container('c', { cpu: '1' })]);
  assert.deepEqual(claimFor(of, GPU), {
    requests: ['container-0-request-1: 1', 'container-1-request-0: 2'],
    mappings: ['a: container-0-request-1', 'b: container-1-request-0'],
  });
});

test('an init container uses the devices of later containers first, and all share what the neediest lacks', () => {
  const of = pod([container('a', { [GPU]: '1' })], [container('i', { [GPU]: '2' }), container('j', { [GPU]: '4' }), container('k', { [GPU]: '1' })]);
  assert.deepEqual(claimFor(of, GPU), {
    requests: ['container-1-request-0: 3', 'container-3-request-0: 1'],
    mappings: [
      'i: container-3-request-0',
      'i: container-1-request-0',
      'j: container-3-request-0',
      'j: container-1-request-0',
      'k: container-3-request-0',
      'a: container-3-request-0',
    ],
  });
});

test('a sidecar keeps its devices, and only init containers before it may use them', () => {
  const sidecar = container('s', { [GPU]: '1' }, { restartPolicy: 'Always' });
  const of = pod([container('a', {})], [container('before', { [GPU]: '1' }), sidecar, container('after', { [GPU]: '1' })]);
  assert.deepEqual(claimFor(of, GPU), {
    requests: ['container-1-request-0: 1', 'container-2-request-0: 1'],
    mappings: ['before: container-1-request-0', 's: container-1-request-0', 'after: container-2-request-0'],
  });
});
