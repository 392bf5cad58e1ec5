/** Created objects look as kube-apiserver 1.36.3 recorded them: defaults, canonical forms, dropped fields. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type ApiObject, isJsonObject, type Json, parseJson, stringifyJson } from '#machinery';
import { featureGates } from './gates.ts';
import type { StrategyContext } from './kind.ts';
import { KINDS, kindByResource } from './kinds.ts';
import { definitions, schemaOf } from './schema.ts';
import { servedVersions } from './served.ts';

const VECTORS = join(import.meta.dirname, '../../test/vectors/http');
const NOW = '<time>';
const open = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, true]));
const FULL = open('DRADeviceTaintRules', 'DRAListTypeAttributes', 'DRANodeAllocatableResources', 'DRAResourcePoolStatus');
const OFF = Object.fromEntries(
  [
    'DRAResourceClaimDeviceStatus',
    'DRAPartitionableDevices',
    'DRADeviceTaints',
    'DRADeviceTaintRules',
    'DRAExtendedResource',
    'DRAConsumableCapacity',
    'DRADeviceBindingConditions',
    'DRAListTypeAttributes',
    'DRANodeAllocatableResources',
  ].map((name) => [name, false]),
);
const PROFILES: Readonly<Record<string, Readonly<Record<string, boolean>>>> = { full: FULL, off: OFF, default: {}, versions: {} };

interface Body extends ApiObject {
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly data?: unknown;
  readonly type?: unknown;
}
interface Step {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body?: Body;
  readonly expect: { readonly status: number; readonly body?: Body | null };
}
const PATH = /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+))?\/([a-z]+)(\?.*)?$/;

/** What prepareForCreate makes of a body, shown in the version of the path; undefined for kinds not built here. */
function created(step: Step, overrides: Readonly<Record<string, boolean>>): Body | undefined {
  const [, group = '', apiVersion = '', , plural = ''] = PATH.exec(step.path) ?? [];
  const kind = kindByResource(group, plural);
  const version = kind?.versions.find((candidate) => candidate.version === apiVersion);
  if (kind === undefined || version === undefined || step.body === undefined) return undefined;
  const context: StrategyContext = { gates: featureGates('1.36', overrides), subresource: '', now: NOW, checkSelector: () => [] };
  const decoded = version.defaults?.(step.body, context) ?? step.body;
  const stored = version.toStorage?.(decoded) ?? decoded;
  const prepared = kind.prepareForCreate?.(stored, context) ?? stored;
  return version.fromStorage?.(prepared) ?? prepared;
}

/** Admission adds tolerations and priorities to pods, which is not done here. */
function comparable({ spec, status, data, type }: Body, omit: ReadonlySet<string>): unknown {
  const text = stringifyJson({ spec, status, data, type }, 0).replace(
    /,?"(tolerations":\[\{"effect":"NoExecute"[^\]]*\]|preemptionPolicy":"[A-Za-z]*"|priority":0)/g,
    '',
  );
  return omitted(parseJson(text), omit);
}

/** Without members that depend on a uid. */
function omitted(value: Json, names: ReadonlySet<string>): Json {
  if (Array.isArray(value)) return value.map((item: Json) => omitted(item, names));
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(([name]) => !names.has(name));
  return Object.fromEntries(kept.map(([name, member]) => [name, omitted(member ?? null, names)]));
}

interface Recording {
  readonly profile: string;
  /** Names of members that are not compared. */
  readonly omit: ReadonlySet<string>;
  readonly creates: readonly { readonly step: Step; readonly wanted: Body }[];
}

/** The recorded creates that succeed and whose answer is known, of kinds built here; other recordings have none. */
function recordingOf(file: string): Recording {
  const recorded = parseJson(gunzipSync(readFileSync(join(VECTORS, file))).toString()) as unknown as {
    readonly steps: readonly Step[];
    readonly profile: string;
    readonly omit?: readonly string[];
  };
  const creates = recorded.steps.flatMap((step) => {
    const [, group = '', , , plural = ''] = PATH.exec(step.path) ?? [];
    const wanted = step.expect.body;
    if (step.method !== 'POST' || step.expect.status !== 201 || typeof step.body !== 'object' || kindByResource(group, plural) === undefined) return [];
    return wanted === undefined || wanted === null ? [] : [{ step, wanted }];
  });
  return { profile: recorded.profile, omit: new Set(recorded.omit), creates };
}

const FILES = ['crud', 'gates'].flatMap((folder) => readdirSync(join(VECTORS, folder)).map((file) => `${folder}/${file}`));
const RECORDINGS = FILES.map((file) => ({ file, ...recordingOf(file) })).filter(({ creates }) => creates.length > 0);

for (const { file, profile, omit, creates } of RECORDINGS) {
  test(`creates answer as recorded in ${file}`, () => {
    for (const { step, wanted } of creates) {
      const body = created(step, PROFILES[profile] ?? {});
      if (body !== undefined) assert.deepEqual(comparable(body, omit), comparable(wanted, omit), step.name);
    }
  });
}

test('the recordings have creates of most kinds', () => {
  assert.ok(RECORDINGS.length >= 20, String(RECORDINGS.length));
});

test('every version of every kind has a definition and names a storage version', () => {
  for (const kind of KINDS) {
    assert.ok(
      kind.versions.some((version) => version.version === kind.storageVersion),
      kind.plural,
    );
    for (const { definition } of kind.versions) assert.equal(schemaOf(definition).type, 'object', definition);
  }
});

test('schema nodes carry the markers of their use and end where there is no member', () => {
  const pod = schemaOf('io.k8s.api.core.v1.Pod');
  const claims = pod.field('spec')?.field('resourceClaims');
  assert.equal(claims?.listType, 'map');
  assert.deepEqual(claims?.mapKeys, ['name']);
  assert.deepEqual(claims?.patchStrategies, ['merge', 'retainKeys']);
  assert.equal(pod.field('constructor'), undefined);
  assert.equal(schemaOf('io.k8s.api.core.v1.Pod'), pod);
  assert.throws(() => schemaOf('nope'), RangeError);
  assert.ok(Object.keys(definitions).length > 500);
});

test('gates follow the release, and locked or unknown ones cannot be set', () => {
  assert.equal(featureGates('1.35').get('DRADeviceTaints'), false);
  assert.equal(featureGates('1.36').get('DRADeviceTaints'), true);
  assert.equal(featureGates('1.36').has('DRADerivedAttributes'), false);
  assert.throws(() => featureGates('1.36', { DRAAdminAccess: false }), /locked/);
  assert.throws(() => featureGates('1.36', { Nope: true }), /unrecognized/);
});

test('only v1 is served by default, and runtime config opens versions that the release has', () => {
  const served = servedVersions('1.36');
  assert.ok(served('resource.k8s.io', 'v1', 'resourceclaims'));
  assert.ok(!served('resource.k8s.io', 'v1beta1', 'resourceclaims'));
  assert.ok(!served('resource.k8s.io', 'v1', 'devicetaintrules'));
  const opened = servedVersions('1.36', { 'resource.k8s.io/v1beta1': true, 'resource.k8s.io/v1alpha3': true });
  assert.ok(opened('resource.k8s.io', 'v1beta1', 'resourceclaims'));
  assert.ok(opened('resource.k8s.io', 'v1alpha3', 'devicetaintrules'));
  assert.ok(!opened('resource.k8s.io', 'v1alpha3', 'resourceclaims'));
});

/** What each release serves of a resource without being asked, and when all beta and alpha versions are opened (k8s.io/api, zz_generated.prerelease-lifecycle.go). */
const SERVED: Readonly<Record<string, Readonly<Record<string, readonly [string, string]>>>> = {
  resourceclaims: {
    '1.31': ['', 'v1alpha3'],
    '1.32': ['', 'v1beta1 v1alpha3'],
    '1.33': ['', 'v1beta2 v1beta1 v1alpha3'],
    '1.34': ['v1', 'v1 v1beta2 v1beta1'],
    '1.37': ['v1', 'v1 v1beta2 v1beta1'],
  },
  devicetaintrules: {
    '1.32': ['', ''],
    '1.33': ['', 'v1alpha3'],
    '1.35': ['', 'v1alpha3'],
    '1.36': ['', 'v1beta2 v1alpha3'],
    '1.37': ['v1', 'v1 v1beta2 v1alpha3'],
  },
  resourcepoolstatusrequests: { '1.35': ['', ''], '1.36': ['', 'v1alpha3'], '1.37': ['', 'v1alpha3'] },
};

for (const [plural, releases] of Object.entries(SERVED)) {
  for (const [release, [byDefault, opened]] of Object.entries(releases)) {
    test(`${plural} in ${release}`, () => {
      const versionsOf = (config: Readonly<Record<string, boolean>>): string => {
        const served = servedVersions(release, config);
        return ['v1', 'v1beta2', 'v1beta1', 'v1alpha3'].filter((version) => served('resource.k8s.io', version, plural)).join(' ');
      };
      assert.equal(versionsOf({}), byDefault);
      assert.equal(versionsOf({ 'api/beta': true, 'api/alpha': true }), opened);
    });
  }
}
