/** Names of a driver's sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { socketPaths } from './socket-names.ts';

const REGISTRY = '/var/lib/kubelet/plugins_registry';
const UID = 'aaaaaaaa-0000-4000-8000-000000000007';

function pathsOf(driver: string, instance?: string): { readonly registration: string; readonly service: string } {
  return socketPaths({ driver, instance, registryDirectory: REGISTRY, dataDirectory: `/var/lib/kubelet/plugins/${driver}` });
}

test('a single instance has the usual names', () => {
  assert.deepEqual(pathsOf('gpu.example.com'), {
    registration: `${REGISTRY}/gpu.example.com-reg.sock`,
    service: '/var/lib/kubelet/plugins/gpu.example.com/dra.sock',
  });
});

test('one of two instances carries its UID', () => {
  assert.deepEqual(pathsOf('gpu.example.com', UID), {
    registration: `${REGISTRY}/gpu.example.com-${UID}-reg.sock`,
    service: `/var/lib/kubelet/plugins/gpu.example.com/dra-${UID}.sock`,
  });
});

test('whatever the length of the name, both paths fit, and those of two instances differ', () => {
  for (let length = 12; length <= 63; length++) {
    const driver = `${'d'.repeat(length - 12)}.example.com`.slice(-length);
    const [a, b] = [pathsOf(driver, UID), pathsOf(driver, UID.replace('7', '8'))];
    for (const path of [a.registration, a.service]) assert.ok(path.length <= 107, `${path} has ${String(path.length)} bytes`);
    assert.notEqual(a.registration, b.registration);
    assert.notEqual(a.service, b.service);
  }
});
