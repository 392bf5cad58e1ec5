/** A DRA driver for GPUs that do not exist: node main.ts --kubeconfig F --node-name N --root-dir D [--devices FILE|gpu|showcase] [--cdi-dir D]. */
import { parseArgs } from 'node:util';
import { connect, DriverPlugin } from '#kit';
import { devicesOf } from './devices.ts';
import { gpuAuthor } from './gpu-author.ts';

const USAGE =
  'usage: main.ts --kubeconfig FILE --node-name NAME --root-dir DIR [--devices FILE|gpu|showcase] [--nodes NAME,…] [--driver-name gpu.example.com] [--cdi-dir DIR]';

/** Exit code for flags or a device file that are wrong: starting again would not help. */
const EXIT_USAGE = 2;

function flags() {
  const options = {
    kubeconfig: { type: 'string' },
    'node-name': { type: 'string' },
    'root-dir': { type: 'string' },
    'cdi-dir': { type: 'string' },
    devices: { type: 'string', default: 'gpu' },
    // Names of all nodes whose drivers get the same device file: pools called NODE or NODE-… are that node's, others the first one's.
    nodes: { type: 'string', default: '' },
    'driver-name': { type: 'string', default: 'gpu.example.com' },
  } as const;
  return parseArgs({ options }).values;
}

async function configured(): Promise<DriverPlugin> {
  const { kubeconfig, 'node-name': nodeName, 'root-dir': rootDir, 'cdi-dir': cdiDirectory, devices, nodes, 'driver-name': driver } = flags();
  if (kubeconfig === undefined || nodeName === undefined || rootDir === undefined) throw new Error(USAGE);
  const pools = devicesOf(devices, { nodeName, nodes: nodes.split(',').filter((node) => node !== '') });
  const connection = await connect(kubeconfig, driver);
  const plugin = new DriverPlugin({ ...connection, driver, nodeName, rootDir, cdiDirectory, author: gpuAuthor(driver) });
  plugin.publish(pools);
  return plugin;
}

async function main(): Promise<void> {
  let exitCode = EXIT_USAGE;
  try {
    const plugin = await configured();
    exitCode = 1;
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
    await plugin.run(stop.signal);
  } catch (error) {
    process.stderr.write(`example-gpu: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = exitCode;
  }
}

await main();
