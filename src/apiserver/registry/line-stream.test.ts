/** Watches of slow readers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../base/manual-clock.test-data.ts';
import { LAG_BYTES_MAX, LAG_LINES_MAX, type LineSink, LineStream } from './line-stream.ts';
import { WatchRounds } from './watch-rounds.ts';

const ROUNDS = new WatchRounds(new ManualClock());

async function textOf(stream: LineStream): Promise<string> {
  return Buffer.concat(await Array.fromAsync(stream)).toString();
}

test('a reader that lags by too many events is told how many and cut off', async () => {
  const stream = new LineStream(ROUNDS);
  for (let count = 0; count <= LAG_LINES_MAX; count++) stream.push(new Uint8Array(1));
  assert.match(await textOf(stream), /^\{"type":"ERROR","object":\{.*more than 10000 events were waiting to be read.*"code":410\}\}\n$/);
});

test('a reader that lags by too many bytes is told how many and cut off, and nothing is kept for it', async () => {
  const stream = new LineStream(ROUNDS);
  for (let count = 0; count < 17; count++) stream.push(new Uint8Array(LAG_BYTES_MAX / 16));
  assert.match(await textOf(stream), /^\{"type":"ERROR","object":\{.*events of more than 16777216 bytes were waiting to be read.*"code":410\}\}\n$/);
});

test('what exists when a watch starts is no lag, and one event may be of any size', async () => {
  const stream = new LineStream(ROUNDS);
  stream.begin([1, 2, 3].map(() => new Uint8Array(LAG_BYTES_MAX)).values());
  stream.push(new Uint8Array(LAG_BYTES_MAX + 1));
  stream.end();
  assert.equal((await textOf(stream)).length, 4 * LAG_BYTES_MAX + 1);
});

test('what exists is made when the reader asks for more, before all events, and not for one that is cut off', async () => {
  let made = 0;
  function* initial(): Generator<Uint8Array> {
    for (const name of ['a', 'b', 'c', 'd']) {
      made++;
      yield line(name);
    }
  }
  const stream = new LineStream(ROUNDS);
  const sink = new KeepingSink();
  sink.open = false;
  stream.begin(initial());
  stream.push(line('event'));
  stream.pourInto(sink);
  await Promise.resolve();
  assert.equal(made, 1);
  stream.resume();
  assert.deepEqual([made, sink.chunks], [2, ['a\n', 'b\n']]);
  stream.end(line('last'));
  await Promise.resolve();
  assert.equal(made, 2, 'the end does not hurry the reader');
  stream.resume();
  sink.open = true;
  stream.resume();
  assert.deepEqual(sink.chunks, ['a\n', 'b\n', 'c\n', 'd\n', 'event\nlast\n']);
  assert.ok(sink.ended);
  const late = new LineStream(ROUNDS);
  late.begin(initial());
  for (let count = 0; count <= LAG_LINES_MAX; count++) late.push(new Uint8Array(1));
  assert.match(await textOf(late), /^\{"type":"ERROR".*"code":410\}\}\n$/);
  assert.equal(made, 4);
});

test('a reader that keeps up is never cut off', async () => {
  const stream = new LineStream(ROUNDS);
  const reader = stream[Symbol.asyncIterator]();
  for (let count = 0; count < 40; count++) {
    stream.push(new Uint8Array(LAG_BYTES_MAX / 16));
    assert.equal((await reader.next()).value?.length, LAG_BYTES_MAX / 16);
  }
  await reader.return(undefined);
});

/** A sink that keeps what it is given and takes more while `open`. */
class KeepingSink implements LineSink {
  readonly chunks: string[] = [];
  open = true;
  ended = false;
  /** What all writes together took. */
  spentMs = 0;

  write(chunk: Uint8Array): boolean {
    this.spentMs += 5;
    this.chunks.push(Buffer.from(chunk).toString());
    return this.open;
  }

  end(): void {
    this.ended = true;
  }
}

const line = (text: string): Uint8Array => Buffer.from(`${text}\n`);

test('an event that comes alone is poured at once, those behind a round that took long share the next chunk', async () => {
  const clock = new ManualClock();
  const sink = new KeepingSink();
  const monotonicMs = (): number => clock.monotonicMs() + sink.spentMs;
  const stream = new LineStream(new WatchRounds({ nowMs: monotonicMs, monotonicMs, setTimer: (ms, run) => clock.setTimer(ms, run) }));
  stream.pourInto(sink);
  stream.push(line('first'));
  await Promise.resolve();
  assert.deepEqual(sink.chunks, ['first\n']);
  stream.push(line('second'));
  stream.push(line('third'));
  await Promise.resolve();
  assert.equal(sink.chunks.length, 1);
  clock.advance(5);
  assert.deepEqual(sink.chunks, ['first\n', 'second\nthird\n']);
});

test('a sink that is full gets nothing before it asks for more, but the end reaches it', async () => {
  const stream = new LineStream(ROUNDS);
  const sink = new KeepingSink();
  sink.open = false;
  stream.pourInto(sink);
  stream.push(line('first'));
  await Promise.resolve();
  stream.push(line('second'));
  await Promise.resolve();
  assert.deepEqual(sink.chunks, ['first\n']);
  stream.resume();
  await Promise.resolve();
  assert.deepEqual(sink.chunks, ['first\n', 'second\n']);
  stream.push(line('third'));
  stream.end(line('last'));
  await Promise.resolve();
  assert.deepEqual(sink.chunks, ['first\n', 'second\n', 'third\nlast\n']);
  assert.ok(sink.ended);
});
