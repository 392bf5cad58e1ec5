/** Tests of the metrics registry: what a scraper reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exponentialBuckets, Metrics } from './metrics.ts';

test('counters and gauges are printed sorted, with escaped labels', () => {
  const metrics = new Metrics();
  const requests = metrics.counter({ name: 'requests_total', help: 'Requests.', labels: ['code', 'path'] });
  const open = metrics.gauge({ name: 'open', help: 'Open\nones.' });
  requests.inc({ code: '500', path: 'a"b\\c' }, 2);
  requests.inc({ code: '200', path: '/' });
  requests.inc({ code: '200', path: '/' });
  open.add({}, 3);
  open.add({}, -1);
  assert.equal(
    metrics.exposition(),
    [
      '# HELP open Open\\nones.',
      '# TYPE open gauge',
      'open 2',
      '# HELP requests_total Requests.',
      '# TYPE requests_total counter',
      'requests_total{code="200",path="/"} 2',
      'requests_total{code="500",path="a\\"b\\\\c"} 2',
      '',
    ].join('\n'),
  );
});

test('a histogram counts cumulatively and ends with +Inf', () => {
  const metrics = new Metrics();
  const seconds = metrics.histogram({ name: 'seconds', help: 'Time.', labels: ['result'] }, exponentialBuckets(0.5, 2, 3));
  for (const amount of [0.25, 0.5, 1.5, 9]) seconds.observe({ result: 'ok' }, amount);
  assert.deepEqual(metrics.exposition().split('\n').slice(2, -1), [
    'seconds_bucket{result="ok",le="0.5"} 2',
    'seconds_bucket{result="ok",le="1"} 2',
    'seconds_bucket{result="ok",le="2"} 3',
    'seconds_bucket{result="ok",le="+Inf"} 4',
    'seconds_sum{result="ok"} 11.25',
    'seconds_count{result="ok"} 4',
  ]);
});

test('a computed gauge is read at the moment of the question, and a metric without series is not printed', () => {
  const metrics = new Metrics();
  let claims = 1;
  metrics.gaugeFrom({ name: 'claims', help: 'Claims.', labels: ['allocated'] }, () => [{ labels: { allocated: 'true' }, value: claims }]);
  metrics.counter({ name: 'nothing_total', help: 'Nothing.' });
  claims = 7;
  assert.match(metrics.exposition(), /^claims\{allocated="true"\} 7$/m);
  assert.doesNotMatch(metrics.exposition(), /nothing_total/);
});

test('a name means one thing, counters do not go down, and series are limited', () => {
  const metrics = new Metrics();
  const counter = metrics.counter({ name: 'a', help: 'A.', labels: ['pod'] });
  assert.throws(() => metrics.gauge({ name: 'a', help: 'B.' }), /declared in two ways/);
  metrics.counter({ name: 'a', help: 'A.', labels: ['pod'] }).inc({ pod: '0' });
  assert.throws(() => counter.inc({ pod: 'p' }, -1), /cannot go down/);
  for (let i = 0; i < 3_000; i++) counter.inc({ pod: String(i) });
  assert.equal(metrics.exposition().split('\n').length, 2_000 + 3);
  assert.match(metrics.exposition(), /^a\{pod="0"\} 2$/m);
});
