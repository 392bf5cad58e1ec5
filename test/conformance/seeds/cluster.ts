/** One `dray up` for all tests of the seeds, spoken to as readers of the articles do: with kubectl, or else with `dray apply`. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { DeviceClaim, DeviceRequestAllocationResult, Pod, PodSpec, ResourceClaim, ResourceSlice, ResourceSliceSpec } from '#api';
import { silentLogger } from '#base';
import { DEVICE_CLASSES, NAMESPACES, PODS, RESOURCE_CLAIMS, RESOURCE_SLICES, type RestClient, type Transport } from '#client';
import { isNotFound, type Status } from '#machinery';
import { connect, type Device, DriverPlugin } from '#kit';
import { transportFromKubeconfig } from '#platform';
import { gpuAuthor } from '../../../drivers/example-gpu/gpu-author.ts';
import { dray, type Dray, eventually as eventuallyWithin, readyClient } from '../../e2e/dray.ts';

/** Whether this machine has kubectl; without it manifests go through `dray apply`. */
export const KUBECTL = spawnSync('kubectl', ['version', '--client']).status === 0;

/** Machines that run tests are busy: what takes a second may take many. */
const DEADLINE_MS = 60_000;

/** Repeats `attempt` until it gives a value; rejects with its last error after a minute. */
export const eventually = <T>(attempt: () => Promise<T | undefined>): Promise<T> => eventuallyWithin(attempt, DEADLINE_MS);

/** What a command printed, both streams together, and how it ended. */
export interface Printed {
  readonly code: number | null;
  readonly output: string;
}

/** How a manifest is posted, and on whose behalf. */
interface PostOptions {
  readonly fieldValidation?: 'Strict' | 'Warn';
  readonly user?: string;
}

/** The text of a manifest beside this file, with `edits` made in it; throws when one has nothing to edit. */
export function manifest(name: string, edits: Readonly<Record<string, string>> = {}): string {
  let read = readFileSync(join(import.meta.dirname, name), 'utf8');
  for (const [from, to] of Object.entries(edits)) {
    if (!read.includes(from)) throw new Error(`${name} has no "${from}"`);
    read = read.replaceAll(from, to);
  }
  return read;
}

/** A running cluster in a folder of its own. */
export class SeedCluster {
  readonly client: RestClient;
  readonly folder: string;
  readonly #run: Dray;
  readonly #transport: Transport;
  readonly #drivers: { readonly stop: AbortController; readonly ended: Promise<void> }[] = [];

  private constructor(folder: string, run: Dray, client: RestClient, transport: Transport) {
    this.folder = folder;
    this.#run = run;
    this.client = client;
    this.#transport = transport;
  }

  /** `dray up` with flags but without the examples, on a free port; resolves when it answers. */
  static start(...flags: readonly string[]): Promise<SeedCluster> {
    return this.startWithExamples('--no-examples', ...flags);
  }

  /** `dray up` with flags, on a free port; resolves when it answers, which is before the examples run. */
  static async startWithExamples(...flags: readonly string[]): Promise<SeedCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'dray-seeds-'));
    const run = dray('up', '--data-dir', folder, '--secure-port', '0', ...flags);
    const client = await readyClient(run, folder, DEADLINE_MS);
    return new SeedCluster(folder, run, client, await transportFromKubeconfig(this.#kubeconfig(folder)));
  }

  static #kubeconfig(folder: string): string {
    return join(folder, 'kubeconfig');
  }

  /** Stops the drivers and the cluster and removes what they left. */
  async stop(): Promise<void> {
    for (const { stop, ended } of this.#drivers) {
      stop.abort();
      await ended;
    }
    this.#run.child.kill('SIGTERM');
    await this.#run.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A driver of the kit on node-1. Without `devices` it publishes nothing: its ResourceSlices are then applied as manifests. */
  async addDriver(driver: string, devices?: readonly Device[]): Promise<void> {
    const connection = { ...(await connect(SeedCluster.#kubeconfig(this.folder), driver)), logger: silentLogger };
    const plugin = new DriverPlugin({ ...connection, driver, nodeName: 'node-1', rootDir: join(this.folder, 'nodes', 'node-1'), author: gpuAuthor(driver) });
    if (devices !== undefined) plugin.publish(new Map([[`${driver}-node-1`, { slices: [{ devices }] }]]));
    const stop = new AbortController();
    this.#drivers.push({ stop, ended: plugin.run(stop.signal) });
    await eventually(() => Promise.resolve(plugin.registrationState()?.registered));
  }

  /** Runs kubectl against the cluster, with `input` on its standard input. */
  kubectl(args: readonly string[], input = ''): Promise<Printed> {
    const flags = ['--kubeconfig', SeedCluster.#kubeconfig(this.folder), '--cache-dir', join(this.folder, 'kubectl-cache')];
    return printed('kubectl', [...flags, ...args], input);
  }

  /** Applies a manifest: `kubectl apply -f -`, or `dray apply -f -` on a machine without kubectl. */
  async apply(text: string, namespace = 'default'): Promise<Printed> {
    const args = ['apply', '-n', namespace, '-f', '-'];
    return KUBECTL ? this.kubectl(args, text) : this.dray(args, text);
  }

  /** Runs dray's own client commands against the cluster. */
  dray(args: readonly string[], input = ''): Promise<Printed> {
    const main = join(import.meta.dirname, '../../../src/cmd/main.ts');
    return printed(process.execPath, [main, ...args, '--kubeconfig', SeedCluster.#kubeconfig(this.folder)], input);
  }

  /** POSTs a manifest as it is, with strict field validation unless said otherwise, and gives the server's Status or object, and its Warning header. */
  async post(
    path: string,
    body: string,
    { fieldValidation = 'Strict', user }: PostOptions = {},
  ): Promise<Partial<Status> & { readonly warning?: string | undefined }> {
    const headers = { 'content-type': 'application/yaml', ...(user !== undefined && { 'impersonate-user': user }) };
    const request = { method: 'POST', path: `${path}?fieldValidation=${fieldValidation}`, headers, body } as const;
    const response = await this.#transport(request, AbortSignal.timeout(10_000));
    // The API server answers with JSON: a Status, or the object.
    const answer = JSON.parse(Buffer.concat(await Array.fromAsync(response.body)).toString()) as Partial<Status>;
    return { ...answer, warning: response.headers['warning'] };
  }

  /** Runs `check` in a namespace that is gone afterwards, with all its claims. */
  async inNamespace(name: string, check: (namespace: string) => Promise<void>, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.client.create(NAMESPACES, { metadata: { name, labels } });
    try {
      await check(name);
    } finally {
      await this.#removeNamespace(name);
    }
  }

  async #removeNamespace(name: string): Promise<void> {
    await this.client.delete(NAMESPACES, name);
    await eventually(() =>
      this.client.get(NAMESPACES, name).then(
        () => undefined,
        (error: unknown) => (isNotFound(error) ? true : undefined),
      ),
    );
  }

  /** Creates a claim. */
  addClaim(namespace: string, name: string, devices: DeviceClaim): Promise<ResourceClaim> {
    return this.client.create(RESOURCE_CLAIMS, { metadata: { namespace, name }, spec: { devices } });
  }

  /** Creates a pod of one simulated container that uses the claims of these names; its log lists what the container got. */
  addPod(namespace: string, name: string, claims: readonly string[], spec: Partial<PodSpec> = {}): Promise<Pod> {
    const container = { name: 'main', image: 'example.com/any', resources: { claims: claims.map((claim) => ({ name: claim })) } };
    const resourceClaims = claims.map((claim) => ({ name: claim, resourceClaimName: claim }));
    return this.client.create(PODS, { metadata: { namespace, name }, spec: { containers: [container], resourceClaims, ...spec } });
  }

  /** Creates a slice that is a pool of its own, of the driver and with the devices given. */
  addSlice(name: string, spec: Omit<ResourceSliceSpec, 'pool'>): Promise<ResourceSlice> {
    return this.client.create(RESOURCE_SLICES, { metadata: { name }, spec: { ...spec, pool: { name, generation: 1, resourceSliceCount: 1 } } });
  }

  /** Creates a class of all devices of the driver, called as the driver. */
  async addClass(driver: string): Promise<void> {
    const selectors = [{ cel: { expression: `device.driver == "${driver}"` } }];
    await this.client.create(DEVICE_CLASSES, { metadata: { name: driver }, spec: { selectors } });
  }

  /** Waits until every container of the pod runs. */
  async running(namespace: string, name: string): Promise<Pod> {
    let seen: Pod | undefined;
    try {
      return await eventually(async () => {
        seen = await this.client.get(PODS, name, namespace);
        return seen.status?.phase === 'Running' ? seen : undefined;
      });
    } catch (error) {
      throw new Error(`pod ${namespace}/${name} does not run: ${JSON.stringify(seen?.status)}`, { cause: error });
    }
  }

  /** Waits until the scheduler says why it leaves the pod pending, and gives its words. */
  async refusal(namespace: string, name: string): Promise<string> {
    return eventually(async () => {
      const { status } = await this.client.get(PODS, name, namespace);
      return status?.conditions?.find((condition) => condition.type === 'PodScheduled' && condition.status === 'False')?.message;
    });
  }

  /** The devices that a claim got, once it has some. */
  async results(namespace: string, claim: string): Promise<readonly DeviceRequestAllocationResult[]> {
    return eventually(async () => (await this.client.get(RESOURCE_CLAIMS, claim, namespace)).status?.allocation?.devices?.results);
  }

  /** What a container of a pod (`main` in those of addPod) has printed, once that matches. */
  async log(namespace: string, pod: string, expected: RegExp, container?: string): Promise<string> {
    const query = container === undefined ? '' : `?container=${container}`;
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log${query}`;
    return eventually(async () => {
      const response = await this.#transport({ method: 'GET', path, headers: {} }, AbortSignal.timeout(10_000));
      const log = Buffer.concat(await Array.fromAsync(response.body)).toString();
      return expected.test(log) ? log : undefined;
    });
  }
}

async function printed(command: string, args: readonly string[], input: string): Promise<Printed> {
  const child = spawn(command, args, { stdio: 'pipe' });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, error, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output: out + error };
}
