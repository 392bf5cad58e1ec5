/** A DRA driver for GPUs that do not exist: node main.ts --kubeconfig F --node-name N --root-dir D [--devices FILE|gpu|showcase] [--cdi-dir D]. */
import { parseArgs } from 'node:util';
import { connect, DriverPlugin } from '#kit';
import { devicesOf } from './devices.ts';
import { gpuAuthor } from './gpu-author.ts';

const USAGE = 'usage: main.ts --kubeconfig FILE --node-name NAME --root-dir DIR [--devices FILE|gpu|showcase] [--driver-name gpu.example.com] [--cdi-dir DIR]';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    'node-name': { type: 'string' },
    'root-dir': { type: 'string' },
    'cdi-dir': { type: 'string' },
    devices: { type: 'string', default: 'gpu' },
    'driver-name': { type: 'string', default: 'gpu.example.com' },
  },
});

async function main(): Promise<void> {
  const { kubeconfig, 'node-name': nodeName, 'root-dir': rootDir, 'cdi-dir': cdiDirectory, devices, 'driver-name': driver } = values;
  if (kubeconfig === undefined || nodeName === undefined || rootDir === undefined) throw new Error(USAGE);
  const connection = await connect(kubeconfig, driver);
  const plugin = new DriverPlugin({ ...connection, driver, nodeName, rootDir, cdiDirectory, author: gpuAuthor(driver) });
  plugin.publish(devicesOf(devices, nodeName));
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  await plugin.run(stop.signal);
}

main().catch((error: unknown) => {
  process.stderr.write(`example-gpu: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
