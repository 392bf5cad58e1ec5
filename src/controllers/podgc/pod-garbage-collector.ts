/** The pod garbage collector: removes pods of nodes that are gone, pods deleted before they had a node, and finished pods beyond a limit. */
import { asError, sleep } from '#base';
import type { Pod } from '#api';
import { NODES, PODS } from '#client';
import { isNotFound, keyOf, nameOf, namespaceOf } from '#machinery';
import { type ControllerContext, synced } from '../controller-context.ts';
import { type DoomedPod, doomedPods, isFinished, missingNodes, TERMINATED_POD_THRESHOLD } from './doomed-pods.ts';

/** How often pods are looked at (upstream: gcCheckPeriod). */
const PERIOD_MS = 20_000;
/** How long a node has to be gone before its pods go (upstream: quarantineTime). */
const QUARANTINE_MS = 40_000;

/** Runs until `signal` aborts. */
export async function runPodGarbageCollector(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { clock, informers, client, logger } = context;
  const pods = informers.of(PODS);
  const nodes = informers.of(NODES);
  await synced([pods, nodes], signal);
  /** When each missing node was first missed. */
  const missed = new Map<string, number>();
  const goneNodes = async (): Promise<ReadonlySet<string>> => {
    const missing = missingNodes(pods.lister.list(), nodes.lister.list());
    for (const name of missed.keys()) if (!missing.has(name)) missed.delete(name);
    for (const name of missing) if (!missed.has(name)) missed.set(name, clock.monotonicMs());
    const due = [...missed].filter(([, sinceMs]) => clock.monotonicMs() - sinceMs >= QUARANTINE_MS).map(([name]) => name);
    const gone = await Promise.all(due.map(async (name) => ((await isThere(name)) ? [] : [name])));
    return new Set(gone.flat());
  };
  const isThere = async (name: string): Promise<boolean> => {
    try {
      await client.get(NODES, name);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  };
  while (!signal.aborted) {
    await sleep(clock, PERIOD_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    const input = { pods: pods.lister.list(), nodes: nodes.lister.list(), goneNodes: await goneNodes(), threshold: TERMINATED_POD_THRESHOLD };
    for (const doomed of doomedPods(input)) {
      await remove(context, doomed).catch((error: unknown) =>
        logger.warn('a pod could not be removed', { pod: keyOf(doomed.pod), error: asError(error).message }),
      );
    }
  }
}

async function remove({ client, clock, logger }: ControllerContext, { pod, message }: DoomedPod): Promise<void> {
  logger.info('removing a pod', { pod: keyOf(pod), reason: message });
  const { uid } = pod.metadata;
  const namespace = namespaceOf(pod);
  try {
    const status = statusOf(pod, message, clock.nowMs());
    if (status !== undefined) {
      await client.patch(PODS, nameOf(pod), { namespace, type: 'strategic', subresource: 'status', body: { metadata: { uid: uid ?? null }, status } });
    }
    await client.delete(PODS, nameOf(pod), { namespace, uid, gracePeriodSeconds: 0 });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** A pod that never ended is marked as failed, so that its owner counts it right. */
function statusOf(
  pod: Pod,
  message: string | undefined,
  nowMs: number,
): { readonly phase: string; readonly conditions?: readonly Readonly<Record<string, string>>[] } | undefined {
  if (isFinished(pod)) return undefined;
  if (message === undefined) return { phase: 'Failed' };
  const lastTransitionTime = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message, lastTransitionTime }] };
}
