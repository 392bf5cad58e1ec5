/** What every namespace has so that its pods can speak to the API server, on a whole control plane. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, type Json, type JsonObject } from '#machinery';
import { Cluster } from './cluster.ts';

const ROOT_CA = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const POD = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } };

class Place {
  readonly #cluster = new Cluster('default', ROOT_CA);

  static async run(check: (place: Place) => Promise<void>): Promise<void> {
    const place = new Place();
    try {
      await check(place);
    } finally {
      await place.#cluster.close();
    }
  }

  advance(ms: number): Promise<void> {
    return this.#cluster.advance(ms);
  }

  async send(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: Json): Promise<{ readonly status: number; readonly body: JsonObject }> {
    const headers = { 'content-type': 'application/json' };
    const answer = await this.#cluster.request({
      method,
      path: `/api/v1/namespaces${path}`,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    assert.ok(isJsonObject(answer.body as Json));
    return { status: answer.status, body: answer.body as JsonObject };
  }
}

test('every namespace has a default account and the root certificates, and has them again when they are gone', async () => {
  await Place.run(async (place) => {
    await place.send('POST', '', { metadata: { name: 'new' } });
    await place.advance(1_000);
    for (const namespace of ['default', 'kube-system', 'new']) {
      assert.equal((await place.send('GET', `/${namespace}/serviceaccounts/default`)).status, 200);
      assert.deepEqual((await place.send('GET', `/${namespace}/configmaps/kube-root-ca.crt`)).body['data'], { 'ca.crt': ROOT_CA });
    }
    await place.send('DELETE', '/new/serviceaccounts/default');
    const { body } = await place.send('GET', '/new/configmaps/kube-root-ca.crt');
    await place.send('PUT', '/new/configmaps/kube-root-ca.crt', { ...body, data: { 'ca.crt': 'forged' } });
    await place.advance(1_000);
    assert.equal((await place.send('GET', '/new/serviceaccounts/default')).status, 200);
    assert.deepEqual((await place.send('GET', '/new/configmaps/kube-root-ca.crt')).body['data'], { 'ca.crt': ROOT_CA });
  });
});

test('a namespace on its way out gets no new account', async () => {
  await Place.run(async (place) => {
    await place.send('POST', '', { metadata: { name: 'old', finalizers: ['example.com/stays'] } });
    await place.advance(1_000);
    await place.send('DELETE', '/old');
    await place.advance(5_000);
    assert.equal((await place.send('GET', '/old')).status, 200);
    assert.equal((await place.send('GET', '/old/serviceaccounts/default')).status, 404);
  });
});

test('a pod may be created in the same breath as its namespace', async () => {
  await Place.run(async (place) => {
    await place.send('POST', '', { metadata: { name: 'fresh' } });
    const { status, body } = await place.send('POST', '/fresh/pods', POD);
    assert.equal(status, 201, JSON.stringify(body));
    const { spec } = body;
    assert.ok(isJsonObject(spec) && Array.isArray(spec['volumes']));
    assert.equal(spec['serviceAccountName'], 'default');
  });
});
