/** Applies the examples and waits until each pod is in the state it declares. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Applier, claimTable, type Expectation, expectationsOf, isReached, type Manifest, parseManifests } from '#cli';
import { Informer, PODS, RESOURCE_CLAIMS, type RestClient } from '#client';
import { decodeCheckpoint } from '#nodeagent';
import { asError, silentLogger, sleep } from '#base';
import { isNamespaceTerminating, isNotFound, keyOf } from '#machinery';
import { systemClock, systemRandom } from '#platform';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

/** The manifests of a folder, by default of the examples, file by file in the order of their names. */
export async function readExamples(folder = EXAMPLES): Promise<readonly Manifest[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new Error(`the examples are missing: ${asError(error).message}`, { cause: error });
  });
  const files = names.filter((name) => name.endsWith('.yaml')).sort();
  const read = files.map(async (name) => parseManifests(await readFile(join(folder, name), 'utf8'), join(basename(folder), name)));
  return (await Promise.all(read)).flat();
}

/** How the examples ended. */
export interface ExamplesOutcome {
  /** Pods (namespace/name) that did not reach their declared state in time. */
  readonly missed: readonly Expectation[];
  readonly table: string;
}

/** What is to be applied, where, and how long it may take. `nodeDirs` hold the node agents' checkpoints. */
export interface ExamplesRun {
  readonly client: RestClient;
  readonly manifests: readonly Manifest[];
  readonly timeoutMs: number;
  readonly nodeDirs: readonly string[];
  readonly reached: (expectation: Expectation) => void;
}

/** Creates what is not there yet, follows the pods until all are where they declare to be or time is up. */
export async function runExamples(run: ExamplesRun, signal: AbortSignal): Promise<ExamplesOutcome> {
  await applyExamples(run, signal);
  const watching = new AbortController();
  const until = AbortSignal.any([signal, watching.signal]);
  const world = { client: run.client, clock: systemClock, random: systemRandom, logger: silentLogger };
  const pods = new Informer({ ...world, resource: PODS });
  const claims = new Informer({ ...world, resource: RESOURCE_CLAIMS });
  const ended = Promise.all([pods.run(until), claims.run(until)]);
  const expectations = expectationsOf(run.manifests);
  const missed = await waitFor(expectations, pods, run, signal);
  const cdi = await cdiIdsByClaim(run.nodeDirs);
  const shown = pods.lister.list().filter((pod) => expectations.some((expectation) => expectation.pod === keyOf(pod)));
  const table = claimTable({ pods: shown, claim: (key) => claims.lister.get(key), cdiIds: (uid) => cdi.get(uid) ?? [] });
  watching.abort();
  await ended;
  return { missed, table };
}

const NAMESPACE_POLL_MS = 100;

/** A namespace that is just being deleted is waited for and made anew. */
async function applyExamples({ client, manifests, timeoutMs }: ExamplesRun, signal: AbortSignal): Promise<void> {
  const applier = new Applier(client);
  const deadlineMs = systemClock.monotonicMs() + timeoutMs;
  for (;;) {
    try {
      for (const manifest of manifests) if (!signal.aborted) await applier.createIfAbsent(manifest);
      return;
    } catch (error) {
      const passing = isNamespaceTerminating(error) || isNotFound(error);
      if (!passing || systemClock.monotonicMs() > deadlineMs) throw error;
      await sleep(systemClock, NAMESPACE_POLL_MS, signal).catch(() => undefined);
    }
  }
}

/** Resolves with those that are still missing when all are there, when time is up, or when `signal` aborts. */
function waitFor(expectations: readonly Expectation[], pods: Informer<PodObject>, run: ExamplesRun, signal: AbortSignal): Promise<readonly Expectation[]> {
  return new Promise((resolve) => {
    const missing = new Set(expectations);
    const finish = (): void => {
      cancel();
      resolve([...missing]);
    };
    const look = (): void => {
      for (const expectation of missing) {
        if (!isReached(expectation.state, pods.lister.get(expectation.pod))) continue;
        missing.delete(expectation);
        run.reached(expectation);
      }
      if (missing.size === 0) finish();
    };
    if (signal.aborted) return resolve([...missing]);
    const cancel = systemClock.setTimer(run.timeoutMs, finish);
    signal.addEventListener('abort', finish, { once: true });
    pods.addHandler({ added: look, updated: look });
    look();
  });
}

type PodObject = NonNullable<(typeof PODS)['objectType']>;

/** CDI ids of prepared claims, from the node agents' checkpoints: the only place where the API server does not know them. */
async function cdiIdsByClaim(nodeDirs: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const ids = new Map<string, string[]>();
  for (const directory of nodeDirs) {
    const text = await readFile(join(directory, 'dra_manager_state'), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    for (const claim of decodeCheckpoint(text)) {
      const devices = Object.values(claim.DriverState).flatMap((state) => state.Devices ?? []);
      const known = ids.get(claim.ClaimUID) ?? [];
      ids.set(claim.ClaimUID, [...known, ...devices.flatMap((device) => device.CDIDeviceIDs ?? [])]);
    }
  }
  return ids;
}
