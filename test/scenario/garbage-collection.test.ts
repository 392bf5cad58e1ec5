/** Garbage collection on a whole control plane: the three ways to delete an owner, and owners that are not there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject, OwnerReference } from '#machinery';
import { Cluster } from './cluster.ts';

const CLAIMS = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const BLOCKS = { controller: true, blockOwnerDeletion: true };

/** A cluster with config maps that own claims. */
class Family {
  readonly #cluster = new Cluster('default');

  static async run(check: (family: Family) => Promise<void>): Promise<void> {
    const family = new Family();
    try {
      await family.advance(1_000);
      await check(family);
    } finally {
      await family.#cluster.close();
    }
  }

  advance(ms: number): Promise<void> {
    return this.#cluster.advance(ms);
  }

  async owner(name: string): Promise<OwnerReference> {
    const { metadata } = await this.#create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
    return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: metadata.uid ?? '' };
  }

  /** A claim with these owners; `finalizer` keeps it from vanishing. */
  async claim(name: string, ownerReferences: readonly OwnerReference[], finalizer?: string): Promise<OwnerReference> {
    const metadata = { name, ownerReferences, ...(finalizer === undefined ? {} : { finalizers: [finalizer] }) };
    const created = await this.#create(CLAIMS, { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata, spec: {} });
    return { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', name, uid: created.metadata.uid ?? '' };
  }

  async delete(owner: OwnerReference, propagationPolicy: 'Foreground' | 'Background' | 'Orphan'): Promise<void> {
    await this.#send('DELETE', `${CONFIG_MAPS}/${owner.name}`, { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy });
    await this.advance(2_000);
  }

  async release(claim: string): Promise<void> {
    const patch = { method: 'PATCH' as const, path: `${CLAIMS}/${claim}`, headers: { 'content-type': 'application/merge-patch+json' } };
    await this.#cluster.request({ ...patch, body: JSON.stringify({ metadata: { finalizers: null } }) });
    await this.advance(2_000);
  }

  /** The objects that are there, each with the names of its owners; what is being deleted has a question mark. */
  async left(): Promise<readonly string[]> {
    const lists = await Promise.all([CONFIG_MAPS, CLAIMS].map((path) => this.#cluster.request({ method: 'GET', path, headers: {} })));
    // A list of objects, as the API answers it.
    return lists.flatMap(({ body }) => (body as { readonly items: readonly ApiObject[] }).items.map(described));
  }

  async #create(path: string, object: object): Promise<ApiObject> {
    return (await this.#send('POST', path, object)) as ApiObject;
  }

  async #send(method: 'POST' | 'DELETE', path: string, content: object): Promise<unknown> {
    const { status, body } = await this.#cluster.request({ method, path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(content) });
    assert.ok(status < 300, JSON.stringify(body));
    return body;
  }
}

function described({ metadata }: ApiObject): string {
  const owners = (metadata.ownerReferences ?? []).map(({ name }) => name).join();
  return `${String(metadata.name)}${metadata.deletionTimestamp === undefined ? '' : '?'}${owners === '' ? '' : ` of ${owners}`}`;
}

test('in the background the owner goes at once, and what it owned after it, down to the last generation', () =>
  Family.run(async (family) => {
    const owner = await family.owner('o');
    const child = await family.claim('child', [owner]);
    await family.claim('grandchild', [child]);
    await family.claim('free', []);
    await family.delete(owner, 'Background');
    assert.deepEqual(await family.left(), ['free']);
  }));

test('in the foreground the owner waits for what blocks its deletion', () =>
  Family.run(async (family) => {
    const owner = await family.owner('o');
    await family.claim('slow', [{ ...owner, ...BLOCKS }], 'example.com/slow');
    await family.claim('quick', [{ ...owner, ...BLOCKS }]);
    await family.delete(owner, 'Foreground');
    assert.deepEqual(await family.left(), ['o?', 'slow? of o']);
    await family.release('slow');
    assert.deepEqual(await family.left(), []);
  }));

test('orphans stay and forget their owner', () =>
  Family.run(async (family) => {
    const owner = await family.owner('o');
    const other = await family.owner('other');
    await family.claim('a', [owner]);
    await family.claim('b', [owner, other]);
    await family.delete(owner, 'Orphan');
    assert.deepEqual(await family.left(), ['other', 'a', 'b of other']);
  }));

test('an object lives as long as one of its owners does, and loses the others', () =>
  Family.run(async (family) => {
    const [first, second] = [await family.owner('first'), await family.owner('second')];
    await family.claim('shared', [first, second]);
    await family.delete(first, 'Background');
    assert.deepEqual(await family.left(), ['second', 'shared of second']);
    await family.delete(second, 'Background');
    assert.deepEqual(await family.left(), []);
  }));

test('an owner that never was, or that was replaced by one of the same name, owns nothing', () =>
  Family.run(async (family) => {
    const owner = await family.owner('o');
    await family.claim('replaced', [{ ...owner, uid: '00000000-0000-4000-8000-00000000dead' }]);
    await family.claim('stray', [{ ...owner, name: 'never-was', uid: '00000000-0000-4000-8000-00000000beef' }]);
    await family.claim('own', [owner]);
    await family.advance(2_000);
    assert.deepEqual(await family.left(), ['o', 'own of o']);
  }));
