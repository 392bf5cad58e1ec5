/** The published certificates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap } from '#api';
import { mended } from './root-ca-cert-publisher.ts';

const PEM = '-----BEGIN CERTIFICATE-----\n';

function published(live: ConfigMap): ConfigMap {
  const better = mended(live, PEM);
  assert.ok(better !== undefined);
  return better;
}

test('what others wrote into the map goes, what they wrote about it stays', () => {
  const better = published({ metadata: { name: 'kube-root-ca.crt', labels: { a: 'b' }, annotations: { c: 'd' } }, data: { 'ca.crt': 'stale', more: 'x' } });
  assert.deepEqual(better.data, { 'ca.crt': PEM });
  assert.deepEqual(better.metadata.labels, { a: 'b' });
  assert.deepEqual(Object.keys(better.metadata.annotations ?? {}), ['c', 'kubernetes.io/description']);
});

test('a map that is as it should be is left alone', () => {
  assert.equal(mended(published({ metadata: {} }), PEM), undefined);
});
