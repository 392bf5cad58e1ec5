/** Objects in the protobuf encoding as Go's client sends it, against the same objects in JSON. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
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
