/** What README.md shows is what the program prints. UPDATE_GOLDEN=1 writes the output of a run into it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dray, freePort, inFolder } from '../e2e/dray.ts';

const README = join(import.meta.dirname, '../../README.md');
const BLOCK = /(<!-- output: dray up --once -->\n```text\n)([^]*?)(\n```)/;
/** README shows no wider lines. */
const WIDTH = 150;

test('README shows the output of dray up --once', () =>
  inFolder(async (folder) => {
    const { code, stdout } = await dray('up', '--once', '--data-dir', folder, '--secure-port', String(await freePort())).ended;
    assert.equal(code, 0);
    const readme = readFileSync(README, 'utf8');
    const printed = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(0, WIDTH).trimEnd());
    if (process.env['UPDATE_GOLDEN'] === '1')
      writeFileSync(
        README,
        readme.replace(BLOCK, (_all, head: string, _body, tail: string) => head + printed.join('\n') + tail),
      );
    const shown = BLOCK.exec(readFileSync(README, 'utf8'))?.[2] ?? '';
    assert.deepEqual(printed.map(essence).sort(), shown.split('\n').map(essence).sort());
  }));

/** A line without what differs from run to run: times, ports, generated names, and which of equal devices was taken. */
function essence(line: string): string {
  return line
    .slice(0, WIDTH)
    .replace(/[\d.]+ s$/, 'TIME')
    .replace(/:\d+ /, ':PORT ')
    .replace(/k8s\.gpu\S+/, 'CDI')
    .replace(/-gpu-\w{5}\b/, '-gpu-SUFFIX')
    .replaceAll(/\b[\da-f]{8}\b/g, 'SHARE')
    .replaceAll(/\b(node|gpu)-\d\b/g, '$1-N')
    .replaceAll(/ +/g, ' ')
    .trimEnd();
}
