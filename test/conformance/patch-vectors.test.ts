/** Patches and field ownership as recorded: each recorded write is computed from the recorded object before it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parse as parseYaml } from 'yaml';
import { definitions, schemaOf } from '#api';
import {
  ApiError,
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
  serverSideApply,
  updateManagedFields,
} from '#machinery';

interface Step {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: Json;
  readonly deviation?: string;
  readonly expect: { readonly status: number; readonly body?: Json };
}

/** What only the server's registry decides (names, immutability, options): not this layer's answers. */
const REGISTRY =
  /the name of the object|the namespace of the|field is immutable|strict decoding|is invalid:|object has been modified|not found|PatchOptions|decoding YAML|invalid object type|unexpected end of JSON|looking for beginning|415|when `immutable`|cannot be handled|Invalid value/;

/** Writes after which the registry's strategy drops status.devices with the allocation: neither content nor owners show the write alone. */
const DROPPED_BY_STRATEGY: ReadonlySet<string> = new Set(['deallocate', 'deallocation removes the device entry', 'scheduler withdraws']);
/** Members that the registry sets itself. */
const SET_BY_STRATEGY: ReadonlySet<string> = new Set(['qosClass']);

function scenario(name: string): readonly Step[] {
  const text = gunzipSync(readFileSync(new URL(`../vectors/patch/${name}.json.gz`, import.meta.url))).toString('utf8');
  // The recording's documented format.
  return (JSON.parse(text) as { steps: Step[] }).steps;
}

function schemaFor(object: JsonObject) {
  const [group = '', version = ''] = String(object['apiVersion']).includes('/') ? String(object['apiVersion']).split('/') : ['', String(object['apiVersion'])];
  for (const [name, definition] of Object.entries(definitions)) {
    const match = definition['x-kubernetes-group-version-kind']?.some((gvk) => gvk.group === group && gvk.version === version && gvk.kind === object['kind']);
    if (match === true) return schemaOf(name);
  }
  throw new Error(`no schema of ${String(object['kind'])}`);
}

const object = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
const managedOf = (value: JsonObject): Json => (object(value['metadata'])['managedFields'] ?? []) as Json;

/** managedFields without the values of times, in a fixed order. */
function ownership(value: JsonObject): unknown {
  const entries = managedOf(value) as readonly { manager: string; operation: string; apiVersion: string; subresource?: string; time?: string }[];
  return entries
    .map((entry) => ({ ...entry, time: entry.time === undefined ? undefined : '<time>' }))
    .sort((a, b) =>
      JSON.stringify([a.operation, a.manager, a.apiVersion, a.subresource]) < JSON.stringify([b.operation, b.manager, b.apiVersion, b.subresource]) ? -1 : 1,
    );
}

function compute(step: Step, live: JsonObject | undefined, reference: JsonObject): JsonObject {
  const url = new URL(step.path, 'http://x');
  const subresource = url.pathname.endsWith('/status') ? 'status' : '';
  const type = step.headers?.['content-type'] ?? (step.method === 'PATCH' ? '' : 'application/json');
  const manager = url.searchParams.get('fieldManager') ?? (step.headers?.['user-agent'] ?? 'replay').split('/')[0] ?? '';
  const apply = type.startsWith('application/apply-patch');
  const body = typeof step.body === 'string' ? (apply ? (parseYaml(step.body) as Json) : parseJson(step.body)) : (step.body ?? null);
  const schema = schemaFor(reference);
  const common = { manager, apiVersion: String(reference['apiVersion']), subresource, now: '2026-01-01T00:00:00Z', schema };
  if (apply) {
    const force = url.searchParams.get('force') === 'true';
    const resetFields = subresource === '' ? [['f:status']] : reference['kind'] === 'ResourceClaim' ? [['f:spec'], ['f:metadata']] : [['f:spec']];
    return object(serverSideApply({ ...common, live, applied: body, force, resetFields }).object);
  }
  let updated = body;
  if (type.startsWith('application/json-patch')) updated = applyJsonPatch(live ?? {}, body);
  else if (type.startsWith('application/merge-patch')) updated = applyMergePatch(live ?? {}, body);
  else if (type.startsWith('application/strategic')) updated = applyStrategicMergePatch(live ?? {}, body, schema);
  const content = object(updated);
  // Ownership is reckoned from what the registry stores: its canonical form, and the managers that the request brings.
  const brought = object(content['metadata'])['managedFields'];
  const { managedFields: _, ...metadata } = object(reference['metadata']);
  const stored = { ...reference, metadata: brought === undefined ? metadata : { ...metadata, managedFields: brought } };
  const owned = object(updateManagedFields({ ...common, live, updated: stored }));
  return { ...content, metadata: { managedFields: managedOf(owned) } };
}

/** Without nulls and empty objects, which the registry's canonical form adds and drops. */
function solid(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item: Json) => solid(item) ?? null);
  if (!isJsonObject(value)) return value === null ? undefined : value;
  const members = Object.entries(value)
    .filter(([name]) => !SET_BY_STRATEGY.has(name))
    .map(([name, member]) => [name, solid(member)] as const)
    .filter(([, member]) => member !== undefined);
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

for (const name of [
  'json-patch-configmap',
  'merge-patch-configmap',
  'strategic-claim-status',
  'strategic-node',
  'strategic-pod-status',
  'json-merge-claim',
  'managed-fields-crud',
  'apply-and-update',
  'apply-claim-status',
  'apply-configmap',
  'apply-deployment',
  'apply-lastapplied',
  'apply-rule',
]) {
  test(`${name}: content and ownership come out as recorded`, () => {
    const live = new Map<string, JsonObject>();
    let compared = 0;
    for (const step of scenario(name)) {
      if (step.expect?.status === undefined) continue;
      const url = new URL(step.path, 'http://x');
      const expected = object(step.expect.body);
      const path = url.pathname.replace(/\/status$/, '');
      const target = step.method === 'POST' ? `${path}/${String(object(expected['metadata'])['name'])}` : path;
      const before = live.get(target);
      if (!['POST', 'PUT', 'PATCH'].includes(step.method)) continue;
      const failed = expected['kind'] === 'Status';
      if (expected['kind'] === undefined) {
        if (isJsonObject(step.body) && step.method === 'POST') live.set(`${path}/${String(object(step.body['metadata'])['name'])}`, step.body);
        continue;
      }
      const message = String(expected['message']);
      if (failed && REGISTRY.test(message)) continue;
      if (DROPPED_BY_STRATEGY.has(step.name)) {
        live.set(target, expected);
        continue;
      }
      let got: JsonObject | ApiError;
      try {
        got = compute(step, before, failed ? (before ?? expected) : expected);
      } catch (error) {
        assert.ok(error instanceof ApiError, `${step.name}: ${String(error)}`);
        got = error;
      }
      compared++;
      if (failed) {
        assert.ok(got instanceof ApiError, `${step.name}: must be refused: ${message}`);
        assert.equal(got.message, message, step.name);
        continue;
      }
      assert.ok(!(got instanceof ApiError), `${step.name}: ${String(got)}`);
      if (object(expected['metadata'])['managedFields'] !== undefined) {
        assert.deepEqual(JSON.parse(JSON.stringify(ownership(got))), JSON.parse(JSON.stringify(ownership(expected))), `${name} / ${step.name}`);
      }
      const parts = step.method !== 'PATCH' ? [] : url.pathname.endsWith('/status') ? ['status'] : ['data', 'binaryData'];
      for (const part of parts) assert.deepEqual(solid(got[part]), solid(expected[part]), `${name} / ${step.name}: ${part}`);
      if (!url.searchParams.has('dryRun')) live.set(target, expected);
    }
    assert.ok(compared > 2, 'the scenario has writes');
  });
}
