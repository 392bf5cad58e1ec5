/** The kubelet's checkpoint format. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CheckpointClaim, CheckpointError, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';

const CLAIM: CheckpointClaim = {
  ClaimUID: '067798be-454e-4be4-9047-1aa06aea63f7',
  ClaimName: 'example',
  Namespace: 'default',
  PodUIDs: { '139cdb46-f989-4f17-9561-ca10cfb509a6': {} },
  DriverState: {
    'test-driver.cdi.k8s.io': {
      Devices: [
        { PoolName: 'worker-1', DeviceName: 'dev-1', ShareID: null, RequestNames: ['test request'], CDIDeviceIDs: ['example.com/example=cdi-example'] },
      ],
    },
  },
};

/** Written by the kubelet 1.36.3. */
const EMPTY_FILE =
  '{"Data":"{\\"kind\\":\\"DRACheckpoint\\",\\"apiVersion\\":\\"checkpoint.dra.kubelet.k8s.io/v1\\",\\"ClaimInfoStateList\\":[]}","Checksum":2361995144}';

test('an empty list has the text and checksum that the kubelet writes', () => {
  assert.equal(encodeCheckpoint([]), EMPTY_FILE);
});

test('a claim has the checksum of the upstream test value', () => {
  assert.match(encodeCheckpoint([CLAIM]), /"Checksum":2570581864\}$/);
});

test('what is written is read again', () => {
  assert.deepEqual(decodeCheckpoint(encodeCheckpoint([CLAIM])), [CLAIM]);
});

test('angle brackets and ampersands are escaped as Go does and read again', () => {
  const claim = { ...CLAIM, ClaimName: 'a<b>&c' };
  const text = encodeCheckpoint([claim]);
  assert.ok(text.includes('\\\\u003c'));
  assert.deepEqual(decodeCheckpoint(text), [claim]);
});

test('a fresh checkpoint with a null list is empty', () => {
  const text =
    '{"Data":"{\\"kind\\":\\"DRACheckpoint\\",\\"apiVersion\\":\\"checkpoint.dra.kubelet.k8s.io/v1\\",\\"ClaimInfoStateList\\":null}","Checksum":4010664294}';
  assert.deepEqual(decodeCheckpoint(text), []);
});

test('a wrong checksum and a cut file are refused', () => {
  assert.throws(() => decodeCheckpoint(EMPTY_FILE.replace('2361995144', '1')), CheckpointError);
  assert.throws(() => decodeCheckpoint(EMPTY_FILE.slice(0, 40)), CheckpointError);
});
