/** `dray delete`: by manifest, by name, by selector or all; waits until the objects are gone. */
import { setTimeout as delay } from 'node:timers/promises';
import { pathOf, type ResourceName, type RestClient } from '#client';
import { type ApiObject, isNotFound, nameOf } from '#machinery';
import { Applier } from './apply.ts';
import { Discovery, kindText } from './discovery.ts';
import { exchange, queryOf } from './exchange.ts';
import type { Manifest } from './manifests.ts';
import { targetsOf } from './targets.ts';
import { attemptEach, type Terminal, throwTogether } from './terminal.ts';

/** Between two looks whether an object is gone. */
const GONE_POLL_MS = 100;

/** How to delete. */
export interface DeleteOptions {
  readonly namespace: string;
  /** The namespace was asked for by name: manifests of others are refused. */
  readonly exclusive: boolean;
  readonly gracePeriodSeconds?: number | undefined;
  /** Return only when the objects are gone. */
  readonly wait: boolean;
  /** How long to wait; undefined: as long as it takes. */
  readonly timeoutMs?: number | undefined;
  /** An object that is not there is no failure. */
  readonly ignoreNotFound: boolean;
}

/** Which objects: TYPE NAME…, TYPE/NAME…, or TYPE with a selector or `all`. */
export interface DeleteSelection {
  readonly words: readonly string[];
  readonly labelSelector?: string | undefined;
  readonly all: boolean;
}

/** Where deletions are told, and what ends the waiting. */
export interface DeleteRun {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

interface Victim {
  readonly resource: ResourceName;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Deletes the objects of manifests, the last one first; those that fail are thrown after the others were deleted. */
export async function deleteManifests(client: RestClient, manifests: readonly Manifest[], options: DeleteOptions, run: DeleteRun): Promise<void> {
  const applier = new Applier(client, options);
  const victims: Victim[] = [];
  const unknown = await attemptEach([...manifests].reverse(), async (manifest) => {
    const { resource, object } = await applier.locate(manifest);
    victims.push({ resource, namespace: object.metadata.namespace, name: nameOf(object) });
  });
  throwTogether([...unknown, ...(await deleteAll(client, victims, options, run))]);
}

/** Deletes selected objects; those that fail are thrown after the others were deleted. */
export async function deleteSelected(client: RestClient, selection: DeleteSelection, options: DeleteOptions, run: DeleteRun): Promise<void> {
  const { words, labelSelector, all } = selection;
  const victims: Victim[] = [];
  for (const { resource, names } of await targetsOf(new Discovery(client), words)) {
    const namespace = resource.namespaced ? options.namespace : undefined;
    const choosing = labelSelector !== undefined || all;
    if (names.length > 0 && choosing) throw new Error('name objects or choose them with --selector or --all, not both');
    if (names.length === 0 && !choosing) throw new Error(`name the ${resource.plural} to delete, or choose them with --selector or --all`);
    const chosen = names.length > 0 ? names : await namesOf(client, pathOf(resource, namespace) + queryOf({ labelSelector }));
    victims.push(...chosen.map((name) => ({ resource, namespace, name })));
  }
  if (victims.length === 0) run.terminal.err('No resources found\n');
  throwTogether(await deleteAll(client, victims, options, run));
}

async function namesOf(client: RestClient, path: string): Promise<readonly string[]> {
  // The server answers a list.
  const { items = [] } = (await exchange(client, path)) as unknown as { readonly items?: readonly ApiObject[] };
  return items.map(nameOf);
}

/** All are deleted before the first is waited for: one may hold another. Resolves with the failures. */
async function deleteAll(client: RestClient, victims: readonly Victim[], options: DeleteOptions, run: DeleteRun): Promise<readonly Error[]> {
  const { gracePeriodSeconds, ignoreNotFound, wait, timeoutMs } = options;
  const leaving: (Victim & { readonly uid: string | undefined })[] = [];
  const refused = await attemptEach(victims, async (victim) => {
    const { resource, namespace, name } = victim;
    try {
      const { uid } = (await client.get(resource, name, namespace)).metadata;
      await client.delete(resource, name, { namespace, gracePeriodSeconds });
      leaving.push({ ...victim, uid });
      run.terminal.out(`${kindText(resource)} "${name}" deleted\n`);
    } catch (error) {
      if (!ignoreNotFound || !isNotFound(error)) throw error;
    }
  });
  if (!wait) return refused;
  const deadlineMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  return [...refused, ...(await attemptEach(leaving, (each) => untilGone(client, each, deadlineMs, run.signal)))];
}

async function untilGone(client: RestClient, victim: Victim & { readonly uid: string | undefined }, deadlineMs: number, signal: AbortSignal): Promise<void> {
  const { resource, namespace, name, uid } = victim;
  while (!signal.aborted) {
    const now = await client.get(resource, name, namespace).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (now === undefined || now.metadata.uid !== uid) return;
    if (performance.now() > deadlineMs) {
      const finalizers = now.metadata.finalizers ?? [];
      const why = finalizers.length === 0 ? '' : `: it waits for its finalizers ${finalizers.join(', ')}`;
      throw new Error(`${kindText(resource)} "${name}" is marked for deletion but not gone${why}`);
    }
    await delay(GONE_POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}
