/** resource.k8s.io/v1alpha3 as manifests of 2024 write it: read into v1, and shown again as it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ApiObject, type SchemaNode, stringifyJson } from '#machinery';
import { featureGates } from '../gates.ts';
import type { StrategyContext } from '../kind.ts';
import { kindByResource } from '../kinds.ts';
import { schemaOf } from '../schema.ts';
import { deprecationWarning, servedVersions } from '../served.ts';

const GROUP = 'resource.k8s.io';
const apiVersion = `${GROUP}/v1alpha3`;
const context: StrategyContext = { gates: featureGates('1.36'), subresource: '', now: '2026-01-01T00:00:00Z', checkSelector: () => [] };

type Body = ApiObject & { readonly spec: unknown };

/** Absent and undefined are one. */
const onTheWire = (object: Body): Body => JSON.parse(stringifyJson(object)) as Body;

/** The stored form of a new object, which validation must accept, and what v1alpha3 shows of it. */
function stored(plural: string, body: Body): { spec: unknown; shown: Body } {
  const kind = kindByResource(GROUP, plural);
  const version = kind?.versions.find((candidate) => candidate.version === 'v1alpha3');
  assert.ok(kind !== undefined && version?.defaults !== undefined && version.toStorage !== undefined && version.fromStorage !== undefined);
  const object = version.toStorage(version.defaults(body, context));
  assert.equal(object.apiVersion, 'resource.k8s.io/v1');
  assert.deepEqual(kind.validateCreate?.(object, context), []);
  const { spec } = onTheWire(object as Body);
  return { spec, shown: onTheWire(version.fromStorage(object) as Body) };
}

test('a v1alpha3 slice keeps its capacities as plain quantities', () => {
  const spec = {
    devices: [{ basic: { attributes: { family: { string: 'Arc' } }, capacity: { memory: '16288Mi', millicores: '1k' } }, name: '0000-03-00-0-0x56a0' }],
    driver: 'device.com',
    nodeName: 'node1',
    pool: { generation: 0, name: 'pool1', resourceSliceCount: 1 },
  };
  const result = stored('resourceslices', { apiVersion, kind: 'ResourceSlice', metadata: { name: 'slice1' }, spec });
  const [device] = (result.spec as typeof spec).devices;
  assert.deepEqual(device, {
    name: '0000-03-00-0-0x56a0',
    attributes: { family: { string: 'Arc' } },
    capacity: { memory: { value: '16288Mi' }, millicores: { value: '1k' } },
  });
  assert.deepEqual(result.shown.spec, spec);
  assert.equal(result.shown.apiVersion, apiVersion);
});

test('a v1alpha3 device without `basic` is a device without anything, shown with an empty `basic`', () => {
  const spec = { devices: [{ name: 'd' }], driver: 'device.com', nodeName: 'n', pool: { generation: 1, name: 'p', resourceSliceCount: 1 } };
  const { shown } = stored('resourceslices', { apiVersion, kind: 'ResourceSlice', metadata: { name: 's' }, spec });
  assert.deepEqual((shown.spec as { devices: unknown }).devices, [{ name: 'd', basic: {} }]);
});

test('a v1alpha3 claim and template have flat requests, adminAccess among them', () => {
  const flat = { name: 'gpu', deviceClassName: 'device.com', adminAccess: true };
  const exact = { name: 'gpu', exactly: { deviceClassName: 'device.com', adminAccess: true, allocationMode: 'ExactCount', count: 1 } };
  const shownFlat = { ...flat, allocationMode: 'ExactCount', count: 1 };
  const claim = stored('resourceclaims', {
    apiVersion,
    kind: 'ResourceClaim',
    metadata: { name: 'c', namespace: 'default' },
    spec: { devices: { requests: [flat] } },
  });
  assert.deepEqual(claim.spec, { devices: { requests: [exact] } });
  assert.deepEqual(claim.shown.spec, { devices: { requests: [shownFlat] } });
  const template = stored('resourceclaimtemplates', {
    apiVersion,
    kind: 'ResourceClaimTemplate',
    metadata: { name: 't', namespace: 'default' },
    spec: { spec: { devices: { requests: [flat] } } },
  });
  assert.deepEqual((template.spec as { spec: unknown }).spec, { devices: { requests: [exact] } });
  assert.deepEqual((template.shown.spec as { spec: unknown }).spec, { devices: { requests: [shownFlat] } });
});

test('the derived structure refers to v1alpha3 alone and knows what that version had', () => {
  const at = (root: SchemaNode | undefined, ...path: readonly string[]) => path.reduce((node, name) => (name === '[]' ? node?.items : node?.field(name)), root);
  const slice = schemaOf('io.k8s.api.resource.v1alpha3.ResourceSlice');
  assert.equal(at(slice, 'spec', 'devices', '[]', 'basic', 'capacity', 'memory')?.type, 'quantity');
  assert.equal(at(schemaOf('io.k8s.api.resource.v1beta1.ResourceSlice'), 'spec', 'devices', '[]', 'basic', 'capacity', 'memory')?.type, 'object');
  const claim = schemaOf('io.k8s.api.resource.v1alpha3.ResourceClaim');
  assert.equal(at(claim, 'spec', 'devices', 'requests', '[]', 'adminAccess')?.type, 'boolean');
  assert.equal(at(claim, 'spec', 'devices', 'requests', '[]', 'exactly'), undefined);
  assert.equal(at(claim, 'spec', 'controller'), undefined);
});

test('v1alpha3 is served by the releases that had it, and by later ones only to who asks for old shapes and names it', () => {
  const alpha = { 'resource.k8s.io/v1alpha3': true };
  const serves = (...args: Parameters<typeof servedVersions>) => servedVersions(...args)(GROUP, 'v1alpha3', 'resourceclaims');
  assert.ok(serves('1.33', alpha));
  assert.ok(serves('1.31', { 'api/alpha': true }));
  assert.ok(!serves('1.33'));
  assert.ok(!serves('1.36', alpha));
  assert.ok(serves('1.36', alpha, { oldShapes: true }));
  assert.ok(serves('1.36', { 'resource.k8s.io/v1alpha3/resourceclaims': true }, { oldShapes: true }));
  assert.ok(!serves('1.36', { ...alpha, 'resource.k8s.io/v1alpha3/resourceclaims': false }, { oldShapes: true }));
  assert.ok(!serves('1.36', { 'api/all': true }, { oldShapes: true }));
  assert.ok(!servedVersions('1.39', { 'resource.k8s.io/v1beta1': true }, { oldShapes: true })(GROUP, 'v1beta1', 'resourceclaims'));
});

test('requests on v1alpha3 are warned with the releases of their kind', () => {
  assert.equal(deprecationWarning(GROUP, 'v1alpha3', 'ResourceClaim'), 'resource.k8s.io/v1alpha3 ResourceClaim is deprecated in v1.34+, unavailable in v1.37+');
  assert.match(deprecationWarning(GROUP, 'v1alpha3', 'DeviceTaintRule') ?? '', /v1\.36\+, unavailable in v1\.39\+/);
});
