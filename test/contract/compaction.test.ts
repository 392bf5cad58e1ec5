/** A store file stays small whatever happens to the server that writes it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { TestServer } from '../../src/apiserver/api-server.test-data.ts';
import { ManualClock } from '../../src/base/manual-clock.test-data.ts';
import { SqliteStore } from '../../src/platform/sqlite-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'dray-compaction-'));
after(() => rmSync(directory, { recursive: true }));

const STARTS = 30;
/** After so many starts history is as long as it gets: twice the interval of five minutes. */
const FULL_AFTER = 12;
const WRITES_PER_START = 20;
const MAP = '/api/v1/namespaces/default/configmaps/churned';

test('a file does not grow with the starts of a server that never lives for five minutes', async () => {
  const file = join(directory, 'dray.db');
  const clock = new ManualClock();
  const sizes: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const store = SqliteStore.open(file);
    const server = new TestServer({ clock, store });
    await server.send('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'churned' } });
    for (let write = 0; write < WRITES_PER_START; write++) await server.must('PATCH', MAP, { data: { text: `${String(write)}${'x'.repeat(2000)}` } });
    clock.advance(60_000);
    server.server.close();
    await store.close();
    sizes.push(statSync(file).size);
  }
  const [full = 0, last = Infinity] = [sizes[FULL_AFTER], sizes.at(-1)];
  assert.ok(last <= full * 1.1, `grew: ${sizes.join(', ')}`);
});
