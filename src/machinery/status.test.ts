/** Refusals say what upstream says, word by word. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalidField, notSupportedField, requiredField, tooLongField, tooManyField } from './field-error.ts';
import { conflict, errorFromStatus, invalid, isConflict, isExpired, isNotFound, notFound } from './status.ts';

test('a missing object is named with its group', () => {
  const error = notFound({ group: 'resource.k8s.io', resource: 'resourceclaims' }, 'c');
  assert.equal(error.message, 'resourceclaims.resource.k8s.io "c" not found');
  assert.deepEqual(error.status.details, { name: 'c', group: 'resource.k8s.io', kind: 'resourceclaims' });
  assert.ok(isNotFound(error) && !isConflict(error));
  assert.equal(notFound({ group: '', resource: 'pods' }, 'x').message, 'pods "x" not found');
});

test('a lost race asks to try again', () => {
  assert.equal(
    conflict({ group: '', resource: 'pods' }, 'x').message,
    'Operation cannot be fulfilled on pods "x": the object has been modified; please apply your changes to the latest version and try again',
  );
});

test('one field error stands alone, several stand in brackets, repeated ones once', () => {
  const kind = { group: 'resource.k8s.io', kind: 'ResourceClaim' };
  const required = requiredField('spec.a', 'why');
  assert.equal(invalid(kind, 'c', [required]).message, 'ResourceClaim.resource.k8s.io "c" is invalid: spec.a: Required value: why');
  const several = invalid(kind, 'c', [required, invalidField('b', 'x<y'), required]);
  assert.equal(several.message, 'ResourceClaim.resource.k8s.io "c" is invalid: [spec.a: Required value: why, b: Invalid value: "x<y"]');
  assert.equal(several.status.details?.causes?.length, 3);
});

test('values print as Go prints them', () => {
  const kind = { group: '', kind: 'Pod' };
  const text = (error: ReturnType<typeof requiredField>): string => invalid(kind, 'p', [error]).message.slice('Pod "p" is invalid: '.length);
  assert.equal(text(invalidField('a', null, 'd')), 'a: Invalid value: null: d');
  assert.equal(text(invalidField('a', { x: '<' })), 'a: Invalid value: {"x":"\\u003c"}');
  assert.equal(text(invalidField('a', '\u0001')), 'a: Invalid value: "\\x01"');
  assert.equal(text(notSupportedField('a', 'z', ['A', 'B'])), 'a: Unsupported value: "z": supported values: "A", "B"');
  assert.equal(text(tooManyField('a', 5, 1)), 'a: Too many: 5: must have at most 1 item');
  assert.equal(text(tooLongField('a', 63)), 'a: Too long: may not be more than 63 bytes');
});

test('a Status without a reason is told by its code', () => {
  assert.ok(isExpired(errorFromStatus({ code: 410, message: 'gone' })));
  assert.ok(!isExpired(errorFromStatus({ code: 410, reason: 'NotFound' })));
  assert.ok(!isNotFound(new Error('pods "x" not found')));
});
