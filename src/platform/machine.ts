/** The facts of this machine through node:os and the files Linux keeps about itself. */
import { readFile, statfs } from 'node:fs/promises';
import { arch, availableParallelism, release, totalmem, type as systemType } from 'node:os';
import type { MachineFacts } from '#ports';

/** Node's names of architectures where Go has others. */
const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le', mipsel: 'mipsle', loong64: 'loong64' };

/** Reads the facts; `directory` is where the node agent keeps its files, and must exist. */
export async function machineFacts(directory: string): Promise<MachineFacts> {
  const [storage, osRelease, machineID, bootID, systemUUID] = await Promise.all([
    statfs(directory),
    textOf('/etc/os-release'),
    textOf('/etc/machine-id'),
    textOf('/proc/sys/kernel/random/boot_id'),
    textOf('/sys/class/dmi/id/product_uuid'),
  ]);
  const architecture = arch();
  return {
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    storageBytes: storage.blocks * storage.bsize,
    architecture: GO_ARCHITECTURES[architecture] ?? architecture,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? systemType(),
    machineID,
    bootID,
    systemUUID,
  };
}

/** Trimmed; empty where the file is not there or not ours to read. */
async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
}
