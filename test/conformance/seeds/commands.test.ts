/** The kubectl commands of docs/seeds.md do what the page says: they succeed on a cluster that `dray up` brought up, with its examples. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PODS } from '#client';
import { commandsOf, readPage } from '../../golden/seeds-page.ts';
import { eventually, KUBECTL, SeedCluster } from './cluster.ts';

/** What changes or removes things comes after what looks at them. */
const order = (command: string): number => ['apply', 'create', 'label', 'delete'].indexOf(command.split(' ')[1] ?? '');

test('each kubectl command of docs/seeds.md succeeds after npm start', { skip: KUBECTL ? false : 'there is no kubectl' }, async () => {
  const cluster = await SeedCluster.startWithExamples();
  try {
    await eventually(async () => {
      const { items } = await cluster.client.list(PODS);
      const settled = items.filter(
        ({ status }) => status?.phase === 'Running' || status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true,
      );
      return items.some(({ metadata }) => metadata.namespace === 'admin-access') && settled.length === items.length ? true : undefined;
    });
    const commands = commandsOf(readPage()).filter((command) => command.startsWith('kubectl '));
    for (const command of commands.toSorted((a, b) => order(a) - order(b))) {
      const { code, output } = await cluster.kubectl(command.split(' ').slice(1));
      assert.equal(code, 0, `${command}: ${output}`);
    }
  } finally {
    await cluster.stop();
  }
});
