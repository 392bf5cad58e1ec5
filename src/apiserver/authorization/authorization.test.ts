/** Who may do what: roles, nodes, impersonation and the granting of rights. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isJsonObject, type Json } from '#machinery';
import { MemoryStore } from '#storage';
import { TestServer } from '../api-server.test-data.ts';
import type { UserInfo } from '../http/message.ts';
import { describeRules, missingRules } from './covers.ts';
import { ruleAllows } from './rules.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const user = (name: string, ...groups: readonly string[]): UserInfo => ({ name, groups });
const JANE = user('jane', 'devs');
const NODE = user('system:node:n1', 'system:nodes');
const binding = (name: string, role: string, ...subjects: readonly Json[]): Json => ({
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects,
});
const role = (name: string, ...rules: readonly Json[]): Json => ({ metadata: { name }, rules });
const READ_CONFIG: Json = { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] };

async function status(server: TestServer, who: UserInfo, method: string, path: string, body?: Json): Promise<number> {
  return (await server.send(method, path, body, { user: who })).status;
}

describe('rules', () => {
  const attributes = { user: JANE, verb: 'get', group: 'resource.k8s.io', resource: 'resourceclaims' };
  const rule = { verbs: ['get'], apiGroups: ['resource.k8s.io'], resources: ['resourceclaims'] };

  test('match verb, group, resource and subresource, and names where they are given', () => {
    assert.ok(ruleAllows(rule, attributes));
    assert.ok(!ruleAllows(rule, { ...attributes, verb: 'list' }));
    assert.ok(!ruleAllows(rule, { ...attributes, group: '' }));
    assert.ok(!ruleAllows(rule, { ...attributes, subresource: 'status' }));
    assert.ok(ruleAllows({ ...rule, resources: ['*/status'] }, { ...attributes, subresource: 'status' }));
    assert.ok(ruleAllows({ ...rule, resourceNames: ['a'] }, { ...attributes, name: 'a' }));
    assert.ok(!ruleAllows({ ...rule, resourceNames: ['a'] }, attributes));
  });

  test('about paths say nothing of resources', () => {
    const paths = { verbs: ['get'], nonResourceURLs: ['/healthz', '/apis/*'] };
    assert.ok(ruleAllows(paths, { user: JANE, verb: 'get', path: '/apis/apps' }));
    assert.ok(!ruleAllows(paths, { user: JANE, verb: 'get', path: '/metrics' }));
    assert.ok(!ruleAllows(paths, attributes));
  });

  test('cover others part by part, and what they lack is described compactly', () => {
    const wanted = [{ verbs: ['get', 'delete'], apiGroups: [''], resources: ['pods', 'pods/log'] }];
    const held = [
      { verbs: ['*'], apiGroups: [''], resources: ['*/log'] },
      { verbs: ['get'], apiGroups: ['*'], resources: ['pods'] },
    ];
    assert.deepEqual(describeRules(missingRules(held, wanted)), ['{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}']);
  });

  test('of more parts than can be looked at are not covered, even if they are held', () => {
    const names = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `n${String(i)}`);
    const held = [
      ...names(1000).map((name) => ({ verbs: [name], apiGroups: ['other'], resources: ['*'] })),
      { verbs: ['*'], apiGroups: [''], resources: ['*'] },
    ];
    assert.deepEqual(missingRules(held, [{ verbs: names(10), apiGroups: [''], resources: names(10) }]), []);
    assert.equal(missingRules(held, [{ verbs: names(150), apiGroups: [''], resources: names(150) }]).length, 1);
  });
});

describe('roles', () => {
  test('for one name allow a list or watch that asks for it alone', async () => {
    const server = new TestServer();
    await server.must('POST', CONFIG_MAPS, { metadata: { name: 'mine' } });
    await server.must('POST', `${RBAC}/clusterroles`, role('one', { ...READ_CONFIG, verbs: ['get', 'list', 'deletecollection'], resourceNames: ['mine'] }));
    await server.must('POST', `${RBAC}/namespaces/default/rolebindings`, binding('ones', 'one', { kind: 'Group', name: 'devs' }));
    assert.equal(await status(server, JANE, 'GET', `${CONFIG_MAPS}?fieldSelector=metadata.name%3Dmine`), 200);
    assert.equal(await status(server, JANE, 'GET', `${CONFIG_MAPS}?fieldSelector=metadata.namespace%3Ddefault,metadata.name%3D%3Dmine`), 200);
    for (const selector of [
      'metadata.name%3Dother',
      'metadata.name!%3Dmine',
      'metadata.namespace%3Ddefault',
      'metadata.name%3Dmine%2F',
      'metadata.name%3D%5Cx',
    ]) {
      assert.equal(await status(server, JANE, 'GET', `${CONFIG_MAPS}?fieldSelector=${selector}`), 403, selector);
    }
    assert.equal(await status(server, JANE, 'DELETE', `${CONFIG_MAPS}?fieldSelector=metadata.name%3Dmine`), 403, 'a deletion of a collection has no name');
    const { body } = await server.send('GET', `${CONFIG_MAPS}?fieldSelector=metadata.name%3Dother`, undefined, { user: JANE });
    assert.equal(body['message'], 'configmaps "other" is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"');
  });

  test('count from the moment at which they are bound until they are not', async () => {
    const server = new TestServer();
    assert.equal(await status(server, JANE, 'GET', CONFIG_MAPS), 403);
    await server.must('POST', `${RBAC}/clusterroles`, role('reader', READ_CONFIG));
    await server.must('POST', `${RBAC}/namespaces/default/rolebindings`, binding('readers', 'reader', { kind: 'Group', name: 'devs' }));
    assert.equal(await status(server, JANE, 'GET', CONFIG_MAPS), 200);
    assert.equal(await status(server, JANE, 'GET', '/api/v1/namespaces/kube-system/configmaps'), 403);
    assert.equal(await status(server, JANE, 'GET', '/api/v1/configmaps'), 403);
    await server.must('DELETE', `${RBAC}/namespaces/default/rolebindings/readers`);
    assert.equal(await status(server, JANE, 'GET', CONFIG_MAPS), 403);
  });

  test('that do not exist are named in the refusal', async () => {
    const server = new TestServer();
    await server.must('POST', `${RBAC}/clusterrolebindings`, binding('lost', 'nothing', { kind: 'User', name: 'jane' }));
    const { body } = await server.send('GET', '/api/v1/configmaps', undefined, { user: JANE });
    assert.match(String(body['message']), /cluster scope: RBAC: clusterrole\.rbac\.authorization\.k8s\.io "nothing" not found$/);
  });

  test('survive a restart, and a default role that lost rules gets them back', async () => {
    const store = new MemoryStore();
    const first = new TestServer({ store });
    await first.must('POST', `${RBAC}/clusterroles`, role('reader', READ_CONFIG));
    await first.must('POST', `${RBAC}/clusterrolebindings`, binding('readers', 'reader', { kind: 'User', name: 'jane' }));
    await first.must('PATCH', `${RBAC}/clusterroles/system:basic-user`, { rules: [] });
    first.server.close();
    const second = new TestServer({ store });
    assert.equal(await status(second, JANE, 'GET', CONFIG_MAPS), 200);
    const { rules } = await second.must('GET', `${RBAC}/clusterroles/system:basic-user`);
    assert.ok(Array.isArray(rules));
    assert.equal(rules.length, 3);
  });

  test('that let a user write do not let it create, by PUT or apply neither', async () => {
    const server = new TestServer();
    const write = (...verbs: readonly string[]): Json => ({ apiGroups: ['', 'coordination.k8s.io'], resources: ['configmaps', 'leases'], verbs });
    await server.must('POST', `${RBAC}/clusterroles`, role('writer', write('update', 'patch')));
    await server.must('POST', `${RBAC}/clusterrolebindings`, binding('writers', 'writer', { kind: 'User', name: 'jane' }));
    const lease = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l';
    const put = async (): Promise<number> => status(server, JANE, 'PUT', lease, { metadata: { name: 'l' } });
    const apply = async (): Promise<string> => {
      const headers = { 'content-type': 'application/apply-patch+yaml' };
      const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } };
      const { status: code, body } = await server.send('PATCH', `${CONFIG_MAPS}/c?fieldManager=m`, applied, { user: JANE, headers });
      return `${String(code)} ${String(body['message'] ?? '')}`;
    };
    assert.equal(await put(), 403);
    assert.equal(await apply(), '403 configmaps "c" is forbidden: User "jane" cannot create resource "configmaps" in API group "" in the namespace "default"');
    await server.must('PATCH', `${RBAC}/clusterroles/writer`, { rules: [write('create', 'update', 'patch')] });
    assert.equal(await put(), 201);
    assert.equal(await apply(), '201 ');
  });

  test('that are new are granted by nobody who may escalate one of their name only', async () => {
    const server = new TestServer();
    const group = { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'] };
    const rules: readonly Json[] = [
      { ...group, verbs: ['create', 'update'] },
      { ...group, verbs: ['escalate'], resourceNames: ['mine'] },
    ];
    await server.must('POST', `${RBAC}/clusterroles`, role('maker', ...rules));
    await server.must('POST', `${RBAC}/clusterrolebindings`, binding('makers', 'maker', { kind: 'User', name: 'jane' }));
    assert.equal(await status(server, JANE, 'POST', `${RBAC}/clusterroles`, role('mine', READ_CONFIG)), 403);
    assert.equal(await status(server, JANE, 'PUT', `${RBAC}/clusterroles/mine`, role('mine', READ_CONFIG)), 201);
  });

  test('about a subresource do not let one watch the object', async () => {
    const server = new TestServer();
    await server.must('POST', `${RBAC}/clusterroles`, role('logs', { apiGroups: [''], resources: ['pods/log'], verbs: ['get', 'list', 'watch'] }));
    await server.must('POST', `${RBAC}/clusterrolebindings`, binding('logs', 'logs', { kind: 'User', name: 'jane' }));
    assert.equal(await status(server, JANE, 'GET', '/api/v1/watch/namespaces/default/pods/p/log'), 404);
    assert.equal(await status(server, user('admin', 'system:masters'), 'DELETE', '/api/v1/watch/namespaces/default/pods/p'), 405);
  });

  test('that do not exist cannot be bound by one who may not bind any', async () => {
    const server = new TestServer();
    await server.must('POST', `${RBAC}/clusterroles`, role('binds', { apiGroups: ['rbac.authorization.k8s.io'], resources: ['rolebindings'], verbs: ['*'] }));
    await server.must('POST', `${RBAC}/clusterrolebindings`, binding('binds', 'binds', { kind: 'User', name: 'jane' }));
    const { status: code, body } = await server.send('POST', `${RBAC}/namespaces/default/rolebindings`, binding('b', 'nothing'), { user: JANE });
    assert.deepEqual([code, body['message']], [404, 'rolebindings.rbac.authorization.k8s.io "nothing" not found']);
  });

  test('of a namespace do not reach the reviews of the cluster', async () => {
    const server = new TestServer();
    await server.must('POST', `${RBAC}/clusterroles`, role('all', { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }));
    await server.must('POST', `${RBAC}/namespaces/default/rolebindings`, binding('all', 'all', { kind: 'User', name: 'jane' }));
    const spec = { user: 'joe', resourceAttributes: { namespace: 'default', verb: 'get', resource: 'pods' } };
    const reviews = '/apis/authorization.k8s.io/v1/namespaces/default';
    assert.equal(await status(server, JANE, 'POST', `${reviews}/localsubjectaccessreviews`, { spec }), 201);
    assert.equal(await status(server, JANE, 'POST', `${reviews}/subjectaccessreviews`, { spec }), 404);
    assert.equal(await status(server, JANE, 'POST', '/apis/authentication.k8s.io/v1/namespaces/default/tokenreviews', { spec: { token: 't' } }), 404);
  });

  test('tell a user what it may do, in a review', async () => {
    const server = new TestServer();
    const review = { spec: { namespace: 'default' } };
    const { status: answer } = await server.must('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', review, {
      user: user('jane', 'system:authenticated'),
    });
    assert.ok(isJsonObject(answer) && Array.isArray(answer['resourceRules']));
    assert.equal(answer['incomplete'], false);
    assert.equal(answer['resourceRules'].length, 2);
  });
});

describe('granting', () => {
  async function granter(): Promise<TestServer> {
    const server = new TestServer();
    await server.must(
      'POST',
      `${RBAC}/clusterroles`,
      role('granter', { apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'], verbs: ['create', 'update'] }, READ_CONFIG),
    );
    await server.must('POST', `${RBAC}/clusterrolebindings`, binding('granters', 'granter', { kind: 'User', name: 'jane' }));
    return server;
  }

  test('more than one has is refused, on create and on update alike', async () => {
    const server = await granter();
    const secrets = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] };
    assert.equal(await status(server, JANE, 'POST', `${RBAC}/clusterroles`, role('own', READ_CONFIG)), 201);
    assert.equal(await status(server, JANE, 'POST', `${RBAC}/clusterroles`, role('more', secrets)), 403);
    assert.equal(await status(server, JANE, 'PUT', `${RBAC}/clusterroles/own`, role('own', READ_CONFIG, secrets)), 403);
    assert.equal(await status(server, JANE, 'POST', `${RBAC}/clusterroles`, role('no verbs', { apiGroups: [''], resources: ['secrets'] })), 422);
    assert.equal(await status(server, JANE, 'POST', `${RBAC}/clusterrolebindings`, binding('up', 'cluster-admin', { kind: 'User', name: 'jane' })), 403);
    assert.equal(await status(server, JANE, 'POST', `${RBAC}/clusterrolebindings`, binding('same', 'own', { kind: 'User', name: 'joe' })), 201);
  });

  test('more than one has by labelling a role for aggregation is refused, holding one back with a finalizer is not', async () => {
    const server = await granter();
    const secrets = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] };
    await server.must('POST', `${RBAC}/clusterroles`, role('powerful', secrets));
    const changed = (metadata: object): Json => ({ metadata: { name: 'powerful', ...metadata }, rules: [secrets] });
    const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
    assert.equal(await status(server, JANE, 'PUT', `${RBAC}/clusterroles/powerful`, changed({ labels })), 403);
    assert.equal(await status(server, JANE, 'PUT', `${RBAC}/clusterroles/powerful`, changed({ finalizers: ['example.com/wait'] })), 200);
  });

  test('what one may bind or escalate by name is allowed', async () => {
    const server = await granter();
    const bind = { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], resourceNames: ['view'], verbs: ['bind'] };
    await server.must('POST', `${RBAC}/clusterroles`, role('binder', bind));
    await server.must('POST', `${RBAC}/clusterrolebindings`, binding('binders', 'binder', { kind: 'User', name: 'jane' }));
    assert.equal(await status(server, JANE, 'POST', `${RBAC}/clusterrolebindings`, binding('viewers', 'view', { kind: 'User', name: 'joe' })), 201);
    assert.equal(
      await status(server, JANE, 'POST', `${RBAC}/clusterrolebindings`, binding('editors', 'system:aggregate-to-edit', { kind: 'User', name: 'joe' })),
      403,
    );
  });
});

describe('impersonation', () => {
  test('needs the right to each part of the other identity with each request', async () => {
    const server = new TestServer();
    await server.must('POST', `${RBAC}/clusterroles`, role('actor', { apiGroups: [''], resources: ['users'], resourceNames: ['joe'], verbs: ['impersonate'] }));
    await server.must('POST', `${RBAC}/clusterrolebindings`, binding('actors', 'actor', { kind: 'User', name: 'jane' }));
    const asked = async (headers: Readonly<Record<string, string>>): Promise<string> => {
      const { body } = await server.send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { user: JANE, headers });
      const { userInfo } = isJsonObject(body['status']) ? body['status'] : {};
      return isJsonObject(userInfo) ? JSON.stringify(userInfo) : String(body['message']);
    };
    assert.equal(await asked({ 'impersonate-user': 'joe' }), '{"username":"joe","groups":["system:authenticated"]}');
    assert.match(await asked({ 'impersonate-user': 'ann' }), /cannot impersonate resource "users" in API group "" at the cluster scope/);
    assert.match(await asked({ 'impersonate-user': 'joe', 'impersonate-group': 'devs' }), /groups "devs" is forbidden/);
    assert.match(await asked({ 'impersonate-user': 'joe', 'impersonate-extra-team': 'blue' }), /cannot impersonate resource "userextras\/team"/);
    assert.match(
      await asked({ 'impersonate-user': 'system:serviceaccount:ns:bot' }),
      /cannot impersonate resource "serviceaccounts" in API group "" in the namespace "ns"/,
    );
    await server.must('DELETE', `${RBAC}/clusterrolebindings/actors`);
    assert.match(await asked({ 'impersonate-user': 'joe' }), /cannot impersonate resource "users"/);
  });
});

describe('a node', () => {
  const pod = (name: string, spec: object): Json => ({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } });

  test('reads what its own pods refer to, and nothing else', async () => {
    const server = new TestServer();
    for (const name of ['mine', 'other']) await server.must('POST', CONFIG_MAPS, { metadata: { name } });
    const volumes = [{ name: 'v', configMap: { name: 'mine' } }];
    await server.must('POST', '/api/v1/namespaces/default/pods', pod('p', { nodeName: 'n1', volumes }));
    await server.must('POST', '/api/v1/namespaces/default/pods', pod('q', { nodeName: 'n2' }));
    assert.equal(await status(server, NODE, 'GET', `${CONFIG_MAPS}/mine`), 200);
    assert.equal(await status(server, NODE, 'GET', `${CONFIG_MAPS}/other`), 403);
    assert.equal(await status(server, NODE, 'GET', '/api/v1/namespaces/default/pods/p'), 200);
    assert.equal(await status(server, NODE, 'GET', '/api/v1/namespaces/default/pods/q'), 403);
    assert.equal(await status(server, NODE, 'GET', '/api/v1/pods'), 403);
    assert.equal(await status(server, NODE, 'GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1'), 200);
    await server.must('DELETE', '/api/v1/namespaces/default/pods/p?gracePeriodSeconds=0');
    assert.equal(await status(server, NODE, 'GET', `${CONFIG_MAPS}/mine`), 403);
  });

  test('registers and reports itself only, and keeps off labels of others', async () => {
    const server = new TestServer();
    assert.equal(await status(server, NODE, 'POST', '/api/v1/nodes', { metadata: { name: 'n2' } }), 403);
    assert.equal(await status(server, NODE, 'GET', '/api/v1/namespaces/default/pods/p/constructor'), 403);
    assert.equal(await status(server, NODE, 'POST', '/api/v1/nodes', { metadata: { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1', mine: 'a' } } }), 201);
    assert.equal(await status(server, NODE, 'PATCH', '/api/v1/nodes/n1', { metadata: { labels: { 'node-restriction.kubernetes.io/team': 'a' } } }), 403);
    assert.equal(await status(server, NODE, 'PATCH', '/api/v1/nodes/n1', { metadata: { labels: { mine: 'b' } } }), 200);
    assert.equal(await status(server, NODE, 'PATCH', '/api/v1/nodes/n1', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }), 403);
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    assert.equal(await status(server, NODE, 'POST', leases, { metadata: { name: 'n1' } }), 201);
    assert.equal(await status(server, NODE, 'POST', leases, { metadata: { name: 'n2' } }), 403);
  });
});

test('modes are asked in their order, and AlwaysAllow needs no role', async () => {
  assert.equal(await status(new TestServer({ authorizationModes: ['AlwaysAllow'] }), JANE, 'GET', CONFIG_MAPS), 200);
  assert.equal(await status(new TestServer({ authorizationModes: ['RBAC'] }), NODE, 'GET', '/api/v1/nodes/n1'), 403);
  const denied = await new TestServer({ authorizationModes: ['AlwaysDeny'] }).send('GET', CONFIG_MAPS, undefined, { user: JANE });
  assert.match(String(denied.body['message']), /Everything is forbidden\.$/);
});

describe('default roles and bindings at the next start', () => {
  const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate';

  /** What a server does to the objects that `change` left. */
  async function restarted(change: (first: TestServer) => Promise<unknown>): Promise<TestServer> {
    const store = new MemoryStore();
    const first = new TestServer({ store });
    await change(first);
    first.server.close();
    return new TestServer({ store });
  }

  test('get back what they lost, and keep what they were given', async () => {
    const server = await restarted(async (first) => {
      await first.must('PATCH', `${RBAC}/clusterroles/system:basic-user`, { metadata: { labels: null, annotations: null }, rules: [READ_CONFIG] });
      await first.must('PATCH', `${RBAC}/clusterroles/view`, { aggregationRule: null });
      await first.must('PATCH', `${RBAC}/clusterroles/system:discovery`, { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } });
      await first.must('PATCH', `${RBAC}/clusterrolebindings/system:discovery`, { subjects: [{ kind: 'User', name: 'jane' }] });
    });
    const basic = await server.must('GET', `${RBAC}/clusterroles/system:basic-user`);
    assert.ok(Array.isArray(basic['rules']) && isJsonObject(basic['metadata']));
    assert.equal(basic['rules'].length, 4);
    assert.deepEqual(basic['metadata']['labels'], { 'kubernetes.io/bootstrapping': 'rbac-defaults' });
    assert.deepEqual(basic['metadata']['annotations'], { [autoupdate]: 'true' });
    const { aggregationRule } = await server.must('GET', `${RBAC}/clusterroles/view`);
    assert.deepEqual(aggregationRule, { clusterRoleSelectors: [{ matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } }] });
    assert.equal((await server.must('GET', `${RBAC}/clusterroles/system:discovery`))['aggregationRule'], undefined);
    const { subjects } = await server.must('GET', `${RBAC}/clusterrolebindings/system:discovery`);
    assert.ok(Array.isArray(subjects));
    assert.deepEqual(
      subjects.map((subject: Json) => isJsonObject(subject) && subject['name']),
      ['jane', 'system:authenticated'],
    );
  });

  test('point to their role again', async () => {
    const path = `${RBAC}/clusterrolebindings/system:discovery`;
    const server = await restarted(async (first) => {
      await first.must('DELETE', path);
      await first.must('POST', `${RBAC}/clusterrolebindings`, binding('system:discovery', 'cluster-admin'));
    });
    const { roleRef } = await server.must('GET', path);
    assert.deepEqual(roleRef, { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:discovery' });
  });

  test('are left alone where their owner said so', async () => {
    const server = await restarted(async (first) => {
      await first.must('PATCH', `${RBAC}/clusterroles/system:basic-user`, { metadata: { annotations: { [autoupdate]: 'false' } }, rules: [] });
      await first.must('PATCH', `${RBAC}/clusterrolebindings/system:discovery`, { metadata: { annotations: { [autoupdate]: 'false' } }, subjects: [] });
    });
    assert.equal(((await server.must('GET', `${RBAC}/clusterroles/system:basic-user`))['rules'] ?? null) as Json, null);
    assert.equal((await server.must('GET', `${RBAC}/clusterrolebindings/system:discovery`))['subjects'], undefined);
  });
});
