/** Tests of expectations: the informer may tell of a change before the server has answered the call that made it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { Expectations } from './expectations.ts';

const OWNER = 'ns/set';
const pod = (name: string) => ({ metadata: { name, namespace: 'ns', uid: `${name}-uid` } });

test('a created pod is waited for until the informer shows it', () => {
  const expectations = new Expectations(new ManualClock());
  expectations.creating(OWNER);
  expectations.created(OWNER, 'a');
  assert.ok(expectations.isWaiting(OWNER));
  expectations.arrived(OWNER, pod('a'));
  assert.equal(expectations.isWaiting(OWNER), false);
});

test('what the informer shows before the answer came is not waited for', () => {
  const expectations = new Expectations(new ManualClock());
  expectations.creating(OWNER);
  expectations.creating(OWNER);
  expectations.arrived(OWNER, pod('a'));
  expectations.created(OWNER, 'a');
  expectations.notCreated(OWNER);
  assert.equal(expectations.isWaiting(OWNER), false);
  expectations.deleted(OWNER, pod('a'));
  assert.ok(expectations.isWaiting(OWNER));
  expectations.gone(OWNER, pod('a'));
  assert.equal(expectations.isWaiting(OWNER), false);
});

test('what never arrives is forgotten after five minutes', () => {
  const clock = new ManualClock();
  const expectations = new Expectations(clock);
  expectations.creating(OWNER);
  expectations.created(OWNER, 'a');
  clock.advance(300_001);
  assert.equal(expectations.isWaiting(OWNER), false);
});
