/** A DRA driver for scratch directories: node main.ts KUBECONFIG NODE ROOT-DIR. A claim has its directory for itself. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Author, connect, DriverPlugin, splitDevices } from '#kit';

const [kubeconfig = '', nodeName = '', rootDir = ''] = process.argv.slice(2);
const driver = 'scratch.example.com';
const directoryOf = (device: string): string => join(rootDir, 'scratch', device);

const author: Author = {
  // A pod with a claim is about to start: make its devices ready and say what they mean for a container.
  prepare: (_claim, results) =>
    Promise.all(
      results.map(async (result) => {
        const hostPath = directoryOf(result.device);
        await mkdir(hostPath, { recursive: true });
        return { result, edits: { env: ['SCRATCH=/scratch'], mounts: [{ hostPath, containerPath: '/scratch', options: ['rbind', 'rw'] }] } };
      }),
    ),
  // The last pod of the claim has ended: the next claim must find nothing of it.
  unprepare: async (_claim, devices) => {
    for (const { device } of devices) await rm(directoryOf(device), { recursive: true, force: true });
  },
};

const plugin = new DriverPlugin({ ...(await connect(kubeconfig, driver)), driver, nodeName, rootDir, author });
const devices = ['scratch-0', 'scratch-1'].map((name) => ({ name, capacity: { size: { value: '10Gi' } } }));
plugin.publish(new Map([[nodeName, { slices: splitDevices(devices) }]]));

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
await plugin.run(stop.signal);
