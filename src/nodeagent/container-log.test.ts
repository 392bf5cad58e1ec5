/** Tests of how the output of a container is read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { type ContainerLog, readLog } from './container-log.ts';

/** A host with one file, which counts how much of it is read. */
class OneFile {
  content = Buffer.alloc(0);
  bytesRead = 0;
  running = true;
  readonly clock = new ManualClock();
  readonly files = {
    stat: async () => ({ kind: 'file' as const, identity: '', size: this.content.length, mode: 0o640, major: 0, minor: 0 }),
    readPart: async (_path: string, offset: number, length: number) => {
      const part = this.content.subarray(offset, offset + length);
      this.bytesRead += part.length;
      return part;
    },
  };
  readonly log: ContainerLog = { file: '/log', grows: () => this.running };

  write(text: string): void {
    this.content = Buffer.concat([this.content, Buffer.from(text)]);
  }

  read(request: { tailLines?: number; follow?: boolean; signal?: AbortSignal } = {}): AsyncGenerator<Uint8Array> {
    return readLog(this, this.log, { namespace: 'ns', pod: 'p', ...request });
  }

  async text(tailLines?: number): Promise<string> {
    return Buffer.concat(await Array.fromAsync(this.read(tailLines === undefined ? {} : { tailLines }))).toString();
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('a log that is followed ends with its container, and no byte is read twice', async () => {
  const host = new OneFile();
  host.write('one\n');
  let seen = '';
  const reading = (async () => {
    for await (const piece of host.read({ follow: true })) seen += Buffer.from(piece).toString();
  })();
  for (const line of ['two\n', '', 'three\n']) {
    await settled();
    host.write(line);
    host.clock.advance(300);
  }
  await settled();
  host.write('last words');
  host.running = false;
  host.clock.advance(300);
  await reading;
  assert.equal(seen, 'one\ntwo\nthree\nlast words');
  assert.equal(host.bytesRead, seen.length);
  assert.equal(host.clock.pending, 0);
});

test('the log of a container that has ended ends at once, also when it is followed', async () => {
  const host = new OneFile();
  host.running = false;
  host.write('over\n');
  assert.equal(Buffer.concat(await Array.fromAsync(host.read({ follow: true }))).toString(), 'over\n');
});

test('whoever stops following ends the reading', async () => {
  const host = new OneFile();
  const gone = new AbortController();
  const next = host.read({ follow: true, signal: gone.signal }).next();
  await settled();
  gone.abort(new Error('gone'));
  await assert.rejects(next, /gone/);
});

test('the last lines of a long log are found from its end', async () => {
  const host = new OneFile();
  const lines = Array.from({ length: 50_000 }, (_, index) => `line ${String(index)}\n`);
  host.write(lines.join(''));
  assert.equal(await host.text(3), lines.slice(-3).join(''));
  assert.ok(host.bytesRead < 70_000, `${String(host.bytesRead)} bytes were read for three lines`);
  assert.equal(await host.text(20_000), lines.slice(-20_000).join(''), 'over several pieces');
  assert.equal(await host.text(), lines.join(''));
  host.write('not yet ended');
  assert.equal(await host.text(2), 'line 49999\nnot yet ended');
});

test('fewer lines than asked for are all there are', async () => {
  const host = new OneFile();
  assert.equal(await host.text(2), '');
  host.write('\n');
  assert.equal(await host.text(1), '\n');
  assert.equal(await host.text(0), '');
  host.write('b\n');
  assert.equal(await host.text(2), '\nb\n');
  assert.equal(await host.text(1), 'b\n');
  assert.equal(await host.text(9), '\nb\n');
});
