/** Objects in the protobuf encoding as Go's client sends it, against the same objects in JSON. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { KINDS } from '#api';
import { type Json, parseJson } from '#machinery';
import { decodeProtobuf } from './protobuf.ts';
import { ProtobufError } from './protobuf-wire.ts';

interface Body {
  readonly object: { readonly apiVersion: string; readonly kind: string };
  readonly protobuf: string;
}

const text = gunzipSync(readFileSync(new URL('../../../test/vectors/protobuf/bodies.jsonl.gz', import.meta.url))).toString();
// The recorder writes lines of this shape only.
const bodies = text
  .trimEnd()
  .split('\n')
  .map((line) => parseJson(line) as unknown as Body);

/** Without what Go does not tell from being absent: it writes zero values of required and of embedded structures. */
function withoutZeros(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => withoutZeros(item) ?? null);
  if (typeof value !== 'object' || value === null) return value === '' || value === 0 || value === false || value === null ? undefined : value;
  const members = Object.entries(value).flatMap(([name, member]) => {
    const kept = withoutZeros(member);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

for (const { object, protobuf } of bodies) {
  const bytes = Uint8Array.fromBase64(protobuf);
  test(`${object.kind} of ${object.apiVersion} reads as its JSON`, () => {
    assert.deepEqual(withoutZeros(decodeProtobuf(bytes)), withoutZeros(object as unknown as Json));
  });
  test(`${object.kind} of ${object.apiVersion} cut anywhere is an error or another object, never a crash`, () => {
    for (let end = 0; end < bytes.length; end++) {
      try {
        decodeProtobuf(bytes.subarray(0, end));
      } catch (error) {
        assert.ok(error instanceof ProtobufError || error instanceof SyntaxError, String(error));
      }
    }
  });
}

test('a pointer to zero is not lost', () => {
  const pod = bodies.find(({ object }) => object.kind === 'Pod');
  const decoded = decodeProtobuf(Uint8Array.fromBase64(pod?.protobuf ?? '')) as {
    spec?: { terminationGracePeriodSeconds?: number; securityContext?: unknown };
  };
  assert.equal(decoded.spec?.terminationGracePeriodSeconds, 0);
  assert.deepEqual(decoded.spec.securityContext, { runAsUser: 0, runAsNonRoot: false });
});

/** An object without fields, in the envelope. */
function empty(apiVersion: string, kind: string): Uint8Array {
  const field = (number: number, bytes: Uint8Array): readonly number[] => [number * 8 + 2, bytes.length, ...bytes];
  const encoder = new TextEncoder();
  const typeMeta = Uint8Array.from([...field(1, encoder.encode(apiVersion)), ...field(2, encoder.encode(kind))]);
  return Uint8Array.from([...encoder.encode('k8s\0'), ...field(1, typeMeta)]);
}

test('a field that is repeated a hundred thousand times is read in passing', () => {
  const lengthOf = (length: number): readonly number[] => (length < 128 ? [length] : [(length & 127) | 128, ...lengthOf(length >> 7)]);
  const finalizers = Array.from({ length: 100_000 }, () => [14 * 8 + 2, 1, 97]).flat();
  const object = [10, ...lengthOf(finalizers.length), ...finalizers];
  const bytes = Uint8Array.from([...empty('v1', 'ConfigMap'), 18, ...lengthOf(object.length), ...object]);
  const { metadata } = decodeProtobuf(bytes) as { metadata?: { finalizers?: readonly string[] } };
  assert.equal(metadata?.finalizers?.length, 100_000);
});

test('every served kind of k8s.io/api can be read', () => {
  const unread = KINDS.flatMap(({ group, kind, versions }) =>
    versions.flatMap(({ version }) => {
      const apiVersion = group === '' ? version : `${group}/${version}`;
      return decodeProtobuf(empty(apiVersion, kind)) === undefined ? [`${apiVersion} ${kind}`] : [];
    }),
  );
  assert.deepEqual(unread, []);
});
