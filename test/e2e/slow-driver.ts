/** A driver program whose prepare takes until a file says go: node slow-driver.ts KUBECONFIG NODE ROOT-DIR. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Author, connect, DriverPlugin, splitDevices } from '#kit';

const [kubeconfig = '', nodeName = '', rootDir = ''] = process.argv.slice(2);
const driver = 'slow.example.com';
const POLL_MS = 20;

const author: Author = {
  async prepare(_claim, results) {
    writeFileSync(join(rootDir, 'preparing'), '');
    while (!existsSync(join(rootDir, 'go'))) await pause(POLL_MS);
    return results.map((result) => ({ result, edits: { env: [`SLOW=${result.device}`] } }));
  },
  unprepare: async () => undefined,
};

const connection = await connect(kubeconfig, driver);
const plugin = new DriverPlugin({ ...connection, driver, nodeName, rootDir, author });
plugin.publish(new Map([[nodeName, { slices: splitDevices([{ name: 'dev-0' }]) }]]));
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
await plugin.run(stop.signal);
