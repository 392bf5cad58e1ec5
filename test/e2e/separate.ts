/** A cluster whose components are processes of their own: API server, scheduler, controllers and one node agent. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod, PodStatus } from '#api';
import { DEVICE_CLASSES, EVENTS, PODS, RESOURCE_CLAIM_TEMPLATES, type RestClient } from '#client';
import { isAlreadyExists, isNotFound } from '#machinery';
import { type Dray, dray, eventually, freePort, inFolder, readyClient } from './dray.ts';

/** The name of the node that such a cluster has. */
export const NODE = 'n1';

/** A running cluster. */
export interface SeparateCluster {
  readonly client: RestClient;
  readonly folder: string;
  readonly kubeconfig: string;
  /** Root directory of the node agent. */
  readonly rootDir: string;
  /** Starts a node agent; one runs already. */
  startAgent(): Promise<Dray>;
  readonly agent: Dray;
  /** Starts another command of dray that ends with the cluster. */
  start(...args: readonly string[]): Dray;
}

/** Runs `check` in such a cluster; everything it started ends with it. */
export function inSeparateCluster(check: (cluster: SeparateCluster) => Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    const started: Dray[] = [];
    const start = (...args: readonly string[]): Dray => {
      const run = dray(...args);
      started.push(run);
      return run;
    };
    try {
      const apiserver = start('apiserver', '--data-dir', folder, '--secure-port', String(await freePort()));
      const client = await readyClient(apiserver, folder);
      const kubeconfig = join(folder, 'kubeconfig');
      start('scheduler', '--kubeconfig', kubeconfig, '--secure-port', '0');
      start('controller-manager', '--kubeconfig', kubeconfig, '--secure-port', '0');
      const rootDir = join(folder, 'k');
      const startAgent = async (): Promise<Dray> => {
        const agent = start('nodeagent', '--kubeconfig', kubeconfig, '--node-name', NODE, '--root-dir', rootDir);
        await eventually(async () => existsSync(join(rootDir, 'plugins_registry')) || undefined);
        return agent;
      };
      await check({ client, folder, kubeconfig, rootDir, startAgent, agent: await startAgent(), start });
    } finally {
      for (const { child } of started.reverse()) child.kill('SIGTERM');
      await Promise.all(started.map((run) => run.ended));
    }
  });
}

/** Writes a device file with one pool of plain devices for the node; its path. */
export function deviceFile(folder: string, ...devices: readonly string[]): string {
  const file = join(folder, `devices-${devices.join('-')}.json`);
  writeFileSync(file, JSON.stringify({ pools: { [NODE]: { slices: [{ devices: devices.map((name) => ({ name })) }] } } }));
  return file;
}

/** Creates a pod of the driver's class with one device from a template: it runs `script` in a shell. */
export async function createPod(client: RestClient, driver: string, name: string, script: string): Promise<void> {
  await offer(client, driver);
  await client.create(PODS, {
    metadata: { name, namespace: 'default' },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'dray.local/sh', command: ['/bin/sh', '-c', script], resources: { claims: [{ name: 'gpu' }] } }],
      resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: driver }],
    },
  });
}

async function offer(client: RestClient, driver: string): Promise<void> {
  const selectors = [{ cel: { expression: `device.driver == '${driver}'` } }];
  await client.create(DEVICE_CLASSES, { metadata: { name: driver }, spec: { selectors } }).catch(ignoreExisting);
  const requests = [{ name: 'gpu', exactly: { deviceClassName: driver } }];
  await client
    .create(RESOURCE_CLAIM_TEMPLATES, { metadata: { name: driver, namespace: 'default' }, spec: { spec: { devices: { requests } } } })
    .catch(ignoreExisting);
}

function ignoreExisting(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}

/** Waits until the pod is in the phase. */
export function podIn(client: RestClient, name: string, phase: NonNullable<PodStatus['phase']>, deadlineMs?: number): Promise<Pod> {
  return eventually(async () => {
    const pod = await client.get(PODS, name, 'default');
    if (pod.status?.phase !== phase)
      throw new Error(`pod ${name} is ${pod.status?.phase ?? 'without a phase'}: ${(await messagesOf(client, name)).join('; ')}`);
    return pod;
  }, deadlineMs);
}

/** Messages of the pod's events. */
export async function messagesOf(client: RestClient, pod: string): Promise<readonly string[]> {
  const events = await client.list(EVENTS, { namespace: 'default', fieldSelector: `involvedObject.name=${pod}` });
  return events.items.map((event) => event.message ?? '');
}

/** Deletes the pod and waits until it is gone; a grace period of 0 does not wait for its node. */
export async function deletePod(client: RestClient, name: string, gracePeriodSeconds?: number): Promise<void> {
  await client.delete(PODS, name, { namespace: 'default', gracePeriodSeconds });
  await eventually(() =>
    client.get(PODS, name, 'default').then(
      () => undefined,
      (error: unknown) => isNotFound(error) || undefined,
    ),
  );
}
