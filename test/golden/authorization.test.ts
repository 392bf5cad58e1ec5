/** What each default role may do with each resource that dray serves, asked of the authorizer itself. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type ClusterRole, featureGates, KINDS, servedVersions } from '#api';
import { createApiServer } from '#apiserver';
import { silentLogger } from '#base';
import { ManualClock } from '../../src/base/manual-clock.test-data.ts';
import { RestClient } from '#client';
import type { ApiObject } from '#machinery';
import { memoryTransport, systemRandom } from '#platform';
import { MemoryStore } from '#storage';

const GOLDEN = new URL('authorization.txt', import.meta.url);
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
/** Verbs that only authorizers know, by resource. */
const SPECIAL_VERBS: Readonly<Record<string, readonly string[]>> = {
  'resourceclaims/driver.resource.k8s.io': ['associated-node:update', 'associated-node:patch', 'arbitrary-node:update', 'arbitrary-node:patch'],
  'serviceaccounts.': ['impersonate'],
  'clusterroles.rbac.authorization.k8s.io': ['bind', 'escalate'],
};
const SYNTHETIC = ['resourceclaims/binding.resource.k8s.io', 'resourceclaims/driver.resource.k8s.io'];
const POD_PARTS = ['pods/binding.', 'pods/eviction.', 'pods/log.', 'serviceaccounts/token.'];

const ROLES = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterroles', kind: 'ClusterRole', namespaced: false };
const BINDINGS = { ...ROLES, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' };
const REVIEWS = { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews', kind: 'SubjectAccessReview', namespaced: false };

interface Review extends ApiObject {
  readonly status?: { readonly allowed: boolean };
}

function apiServer() {
  return createApiServer({
    store: new MemoryStore(),
    clock: new ManualClock(),
    random: systemRandom,
    logger: silentLogger,
    gates: featureGates('1.36'),
    served: servedVersions('1.36', { 'api/all': true }),
    emulatedVersion: '1.36',
    celCheck: () => [],
    admission: { disabled: ['ServiceAccount'] },
    authorizationModes: ['RBAC'],
  });
}

/** `plural.group` of everything served, with subresources. */
function resources(): readonly string[] {
  const served = KINDS.flatMap(({ plural, group, subresources }) => ['', ...subresources.map((name) => `/${name}`)].map((part) => `${plural}${part}.${group}`));
  return [...new Set([...served, ...SYNTHETIC, ...POD_PARTS])].sort();
}

/** Lines `role resource: verbs`, one per resource with which a role may do anything. */
async function matrix(): Promise<readonly (readonly [role: string, resource: string, verbs: readonly string[]])[]> {
  const client = new RestClient(memoryTransport(apiServer(), { name: 'admin', groups: ['system:masters'] }), { userAgent: 'test' });
  const roles = (await client.list<ClusterRole>(ROLES)).items;
  const rows: [string, string, readonly string[]][] = [];
  for (const { metadata } of roles) {
    const { name = '' } = metadata;
    const roleRef = { apiGroup: ROLES.group, kind: 'ClusterRole', name };
    const binding = { metadata: { name: `test:${name}` }, roleRef, subjects: [{ kind: 'User', name: `test:${name}`, apiGroup: ROLES.group }] };
    await client.create<ApiObject>(BINDINGS, binding);
    for (const each of resources()) {
      const [, resource = '', subresource = '', group = ''] = /^([^/.]+)(?:\/([^.]+))?\.(.*)$/.exec(each) ?? [];
      const verbs: string[] = [];
      for (const verb of [...VERBS, ...(SPECIAL_VERBS[each] ?? [])]) {
        const spec = { user: `test:${name}`, resourceAttributes: { verb, group, resource, subresource, namespace: 'any', name: 'any' } };
        const review = await client.create<Review>(REVIEWS, { metadata: {}, spec } as ApiObject);
        if (review.status?.allowed === true) verbs.push(verb);
      }
      if (verbs.length > 0) rows.push([name, each, verbs]);
    }
  }
  return rows;
}

const ROWS = await matrix();

test('the default roles allow what is written down', () => {
  const text = ROWS.map(([role, resource, verbs]) => `${role} ${resource.replace(/\.$/, '')}: ${verbs.join(' ')}\n`).join('');
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, text);
  assert.equal(text, readFileSync(GOLDEN, 'utf8'));
});

const text = ([role, resource, verbs]: (typeof ROWS)[number]): string => `${role} ${resource}: ${verbs.join(' ')}`;

test('a role that may update an object of DRA may patch it, and the other way round', () => {
  const lopsided = ROWS.filter(([, resource, verbs]) => resource.endsWith('.resource.k8s.io') && verbs.includes('update') !== verbs.includes('patch'));
  assert.deepEqual(lopsided.map(text), []);
});

test('what people may create they may also change and delete', () => {
  const people = ROWS.filter(([role, , verbs]) => /^(cluster-admin|system:aggregate-to-(edit|admin))$/.test(role) && verbs.includes('create'));
  // Requests for an action, and reviews, are created and never stored.
  const stored = people.filter(([, resource]) => !/^(pods\/binding|pods\/eviction|serviceaccounts\/token)\./.test(resource));
  assert.ok(stored.length > 20);
  assert.deepEqual(stored.filter(([, , verbs]) => !['update', 'patch', 'delete', 'deletecollection'].every((verb) => verbs.includes(verb))).map(text), []);
});
