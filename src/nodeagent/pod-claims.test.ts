/** Claims of pods and CDI devices of containers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api';
import type { CheckpointClaim } from './checkpoint.ts';
import { cdiDevicesFor, claimsOfPod } from './pod-claims.ts';

const device = (name: string, requests: string[] | null): NonNullable<CheckpointClaim['DriverState'][string]['Devices']>[number] => ({
  PoolName: 'p',
  DeviceName: name,
  ShareID: null,
  RequestNames: requests,
  CDIDeviceIDs: [`k8s.d/claim=${name}`],
});

const prepared: CheckpointClaim = {
  ClaimUID: 'u',
  ClaimName: 'c',
  Namespace: 'default',
  PodUIDs: {},
  DriverState: { d: { Devices: [device('a', ['one']), device('b', ['two']), device('all', null)] } },
};

function pod(claims: NonNullable<Pod['spec']>['resourceClaims'], use: { name: string; request?: string }[], status: Pod['status'] = {}): Pod {
  return {
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'main', resources: { claims: use } }], resourceClaims: claims },
    status,
  };
}

function devices(of: Pod): readonly string[] {
  const container = of.spec?.containers[0];
  assert.ok(container);
  return cdiDevicesFor(of, container, (name) => (name === 'c' ? prepared : undefined));
}

test('a container that names a request gets its devices and those for all requests', () => {
  assert.deepEqual(devices(pod([{ name: 'x', resourceClaimName: 'c' }], [{ name: 'x', request: 'two' }])), ['k8s.d/claim=b', 'k8s.d/claim=all']);
});

test('a container that names the claim twice gets each device once', () => {
  assert.deepEqual(devices(pod([{ name: 'x', resourceClaimName: 'c' }], [{ name: 'x' }, { name: 'x', request: 'one' }])), [
    'k8s.d/claim=a',
    'k8s.d/claim=b',
    'k8s.d/claim=all',
  ]);
});

test('a claim that is not prepared is an error, not a container without devices', () => {
  assert.throws(() => devices(pod([{ name: 'x', resourceClaimName: 'other' }], [{ name: 'x' }])), /claim: other/);
});

test('a claim from a template is taken from the status, and none is needed where the status names none', () => {
  const entries = [
    { name: 'x', resourceClaimTemplateName: 't' },
    { name: 'y', resourceClaimTemplateName: 't' },
  ];
  const status = { resourceClaimStatuses: [{ name: 'x', resourceClaimName: 'p-x-1' }, { name: 'y' }] };
  assert.deepEqual(claimsOfPod(pod(entries, [], status)), [{ podClaimName: 'x', claimName: 'p-x-1', generated: true }]);
  assert.throws(() => claimsOfPod(pod(entries, [])), /^Error: pod "default\/p": ResourceClaim not created yet$/);
});

test('an extended resource is served from its claim only in the container that asks for it', () => {
  const requestMappings = [{ containerName: 'main', resourceName: 'example.com/gpu', requestName: 'one' }];
  const status = { extendedResourceClaimStatus: { resourceClaimName: 'c', requestMappings } };
  const asking: Pod = { metadata: {}, spec: { containers: [{ name: 'main', resources: { requests: { 'example.com/gpu': '1' } } }] }, status };
  assert.deepEqual(devices(asking), ['k8s.d/claim=a', 'k8s.d/claim=all']);
  assert.deepEqual(devices({ ...asking, spec: { containers: [{ name: 'main' }] } }), []);
});
