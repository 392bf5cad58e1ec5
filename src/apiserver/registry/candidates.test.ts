/** Lists by field find through indexes what they find by looking at everything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS } from '#api';
import { type Answer, TestServer } from '../api-server.test-data.ts';

const NODES = ['', 'n1', 'n2', 'n3'];
const DRIVERS = ['a.example.com', 'b.example.com'];
const SLICES = '/apis/resource.k8s.io/v1/resourceslices';
const PODS = '/api/v1/namespaces/default/pods';

/** The same requests go to a server with indexes and to one without; both answer alike. */
class Pair {
  readonly #indexed = new TestServer({ authorizationModes: ['AlwaysAllow'] });
  readonly #plain = new TestServer({ authorizationModes: ['AlwaysAllow'], kinds: KINDS.map((kind) => ({ ...kind, indexedFields: undefined })) });

  async send(...request: Parameters<TestServer['send']>): Promise<Answer> {
    const [indexed, plain] = [await this.#indexed.send(...request), await this.#plain.send(...request)];
    assert.deepEqual(indexed, plain, `${request[0]} ${request[1]}`);
    return indexed;
  }

  async must(...request: Parameters<TestServer['send']>): Promise<Answer> {
    const answer = await this.send(...request);
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
    return answer;
  }

  /** Reads all pages; the names of their items. */
  async names(path: string): Promise<string[]> {
    const names: string[] = [];
    for (let token: string | undefined = ''; token !== undefined;) {
      const { body } = await this.must('GET', token === '' ? path : `${path}&continue=${token}`);
      const { items, metadata } = body as never as { items: { metadata: { name: string } }[]; metadata: { continue?: string } };
      names.push(...items.map((item) => item.metadata.name));
      token = metadata.continue;
    }
    return names;
  }
}

function slice(name: string, nodeName: string, driver: string): object {
  const where = nodeName === '' ? { allNodes: true } : { nodeName };
  return { metadata: { name }, spec: { driver, pool: { name, generation: 1, resourceSliceCount: 1 }, ...where, devices: [] } };
}

test('slices are listed by node and driver as they come and go, in pages too', async () => {
  const pair = new Pair();
  for (let i = 0; i < 60; i++) {
    await pair.must('POST', SLICES, slice(`s${String(i % 40)}`, NODES[i % 4] ?? '', DRIVERS[i % 2] ?? '') as never);
    if (i >= 20) await pair.must('DELETE', `${SLICES}/s${String(i - 20)}`);
    if (i % 7 !== 0) continue;
    for (const node of NODES) {
      for (const limit of ['', '&limit=1', '&limit=2', '&limit=5']) {
        await pair.names(`${SLICES}?fieldSelector=spec.nodeName%3D${node}${limit}`);
        await pair.names(`${SLICES}?fieldSelector=spec.driver%3D${DRIVERS[0] ?? ''},spec.nodeName%3D${node}${limit}`);
        await pair.names(`${SLICES}?fieldSelector=spec.driver%3D${DRIVERS[0] ?? ''},spec.nodeName!%3D${node}${limit}`);
      }
    }
  }
  assert.deepEqual(
    await pair.names(`${SLICES}?fieldSelector=spec.nodeName%3Dn3,spec.driver%3D${DRIVERS[1] ?? ''}&limit=2`),
    ['s15', 's19', 's3', 's7', 's11'].sort(),
  );
});

test('a pod is found on its node once it is bound, at old revisions where it was then', async () => {
  const pair = new Pair();
  await pair.must('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  for (const name of ['p1', 'p2', 'p3']) await pair.must('POST', PODS, { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } });
  const on = (node: string): string => `${PODS}?fieldSelector=spec.nodeName%3D${node}`;
  assert.deepEqual(await pair.names(on('')), ['p1', 'p2', 'p3']);
  const before = (await pair.must('GET', PODS)).body['metadata'] as { resourceVersion: string };
  await pair.must('POST', `${PODS}/p2/binding`, { metadata: { name: 'p2' }, target: { kind: 'Node', name: 'n1' } });
  assert.deepEqual(await pair.names(on('n1')), ['p2']);
  assert.deepEqual(await pair.names(on('')), ['p1', 'p3']);
  assert.deepEqual(await pair.names(`${on('')}&resourceVersion=${before.resourceVersion}&resourceVersionMatch=Exact`), ['p1', 'p2', 'p3']);
  const first = (await pair.must('GET', `${on('')}&limit=1`)).body['metadata'] as { continue: string };
  await pair.must('POST', `${PODS}/p3/binding`, { metadata: { name: 'p3' }, target: { kind: 'Node', name: 'n1' } });
  const { body } = await pair.must('GET', `${on('')}&limit=1&continue=${first.continue}`);
  assert.deepEqual((body['items'] as { metadata: { name: string } }[])[0]?.metadata.name, 'p3', 'the second page is as old as the first');
  assert.deepEqual(await pair.names('/api/v1/pods?fieldSelector=spec.nodeName%3Dn1'), ['p2', 'p3']);
});

test('a name is looked up, and must meet the rest of the selector', async () => {
  const pair = new Pair();
  await pair.must('POST', SLICES, slice('s1', 'n1', DRIVERS[0] ?? '') as never);
  await pair.must('POST', SLICES, slice('s10', 'n1', DRIVERS[0] ?? '') as never);
  assert.deepEqual(await pair.names(`${SLICES}?fieldSelector=metadata.name%3Ds1`), ['s1']);
  assert.deepEqual(await pair.names(`${SLICES}?fieldSelector=metadata.name%3Ds1,spec.nodeName%3Dn2`), []);
  assert.deepEqual(await pair.names(`${SLICES}?fieldSelector=metadata.name%3Ds`), []);
  await pair.must('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'm' } });
  for (const selector of ['metadata.name%3Dm', 'metadata.name%3Dm,metadata.namespace%3Ddefault'])
    assert.deepEqual(await pair.names(`/api/v1/configmaps?fieldSelector=${selector}`), ['m']);
  assert.deepEqual(await pair.names('/api/v1/namespaces/default/configmaps?fieldSelector=metadata.name%3Dm&limit=1'), ['m']);
  // A page of one that is full goes on wherever a key follows, as upstream's.
  const { body } = await pair.must('GET', `${SLICES}?fieldSelector=metadata.name%3Ds1&limit=1`);
  assert.notEqual((body['metadata'] as { continue?: string }).continue, undefined);
});
