/** DELETE: preconditions, finalizers, grace, and many at once. */
import type { Namespace } from '#api';
import { type ApiObject, type DeleteOptions, isNotFound, notFound } from '#machinery';
import { type Core, timestamp } from '../options.ts';
import { refusal } from '../refusals.ts';
import { type Call, deletionRequest } from './call.ts';
import { deleteOptions } from './delete-options.ts';
import { namespaceFinalizers } from './finish.ts';
import { listObjects } from './list.ts';
import { StoredObject, withMetadata } from './object-store.ts';

/** A delete that keeps losing races gives up after so many rounds. */
const DELETE_ATTEMPTS = 10;
/** Finalizers by which the garbage collector is told what to do with dependents (apimachinery meta/v1). */
const FOREGROUND_FINALIZER = 'foregroundDeletion';
const ORPHAN_FINALIZER = 'orphan';

/** What became of the object: gone, or marked as being deleted. */
export interface DeleteResult {
  readonly stored: StoredObject;
  readonly gone: boolean;
}

/** Deletes the named object of the call. */
export async function deleteNamed(core: Core, call: Call): Promise<DeleteResult> {
  return deleteObject(core, call, await deleteOptions(call), { namespace: call.target.namespace, name: call.target.name });
}

/** Deletes one object by the rules of its kind. */
export async function deleteObject(
  core: Core,
  asked: Call,
  options: DeleteOptions,
  key: { readonly namespace: string; readonly name: string },
): Promise<DeleteResult> {
  const { scope } = asked;
  const dryRun = asked.dryRun || (options.dryRun ?? []).length > 0;
  const call = { ...asked, dryRun };
  const policed = scope.kind.orphansByDefault === true ? orphaning(call, options) : options;
  for (let attempt = 1; attempt <= DELETE_ATTEMPTS; attempt++) {
    const live = await core.objects.get(scope, key.namespace, key.name);
    if (live === undefined) throw notFound(scope.groupResource, key.name);
    checkPreconditions(call, live.object, options);
    await core.admission.validate(core, deletionRequest(call, live.object));
    const plan = planDeletion(scope.kind.gracePeriodSeconds, live.object, policed, core.options.clock.nowMs());
    const done = await carryOut(core, call, { live, plan, dryRun });
    if (done !== undefined) return done;
  }
  throw refusal(409, 'Conflict', `Operation cannot be fulfilled on ${scope.kind.plural} ${JSON.stringify(key.name)}: it is being written too often`);
}

/** The options with the kind's policy in place of none; the caller is warned (upstream: registry/batch/job). */
function orphaning(call: Call, options: DeleteOptions): DeleteOptions {
  if (options.propagationPolicy !== undefined || options.orphanDependents !== undefined) return options;
  call.warnings.push(
    `child pods are preserved by default when ${call.scope.kind.plural} are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning`,
  );
  return { ...options, propagationPolicy: 'Orphan' };
}

interface Deletion {
  readonly live: StoredObject;
  readonly plan: Plan;
  readonly dryRun: boolean;
}

async function carryOut(core: Core, call: Call, { live, plan, dryRun }: Deletion): Promise<DeleteResult | undefined> {
  if (plan.kind === 'nothing') return { stored: live, gone: false };
  if (dryRun) return { stored: new StoredObject(plan.object, live.revision), gone: plan.kind === 'remove' };
  if (plan.kind === 'mark') {
    const stored = await core.objects.put(call.scope, plan.object, live.revision);
    return stored === undefined ? undefined : { stored, gone: false };
  }
  // As upstream, watchers first see the object marked, then gone.
  const marked = plan.object === live.object ? live : await core.objects.put(call.scope, plan.object, live.revision);
  const revision = marked === undefined ? undefined : await core.objects.remove(call.scope, plan.object, marked.revision);
  if (revision === undefined) return undefined;
  return { stored: new StoredObject(withMetadata(plan.object, { resourceVersion: String(revision) }), revision), gone: true };
}

/** What a delete does: remove the object, mark it, or nothing because it is marked already. */
type Plan = { readonly kind: 'remove' | 'mark'; readonly object: ApiObject } | { readonly kind: 'nothing' };

/** Decides a delete (upstream: rest.BeforeDelete and the generic registry's deletionFinalizersForGarbageCollection). */
function planDeletion(gracePeriod: ((object: ApiObject) => number) | undefined, live: ApiObject, options: DeleteOptions, nowMs: number): Plan {
  const grace = graceOf(gracePeriod, live, options.gracePeriodSeconds);
  const finalizers = finalizersFor(live, options);
  const held = finalizers.length > 0 || namespaceFinalizers(live).length > 0;
  const { deletionTimestamp, deletionGracePeriodSeconds: earlier = 0 } = live.metadata;
  if (deletionTimestamp !== undefined) {
    if (!held && grace === 0)
      return { kind: 'remove', object: withMetadata(live, { deletionGracePeriodSeconds: 0, deletionTimestamp: shifted(deletionTimestamp, -earlier) }) };
    if (grace >= earlier) return { kind: 'nothing' };
    const changes = {
      deletionGracePeriodSeconds: grace,
      deletionTimestamp: shifted(deletionTimestamp, grace - earlier),
      finalizers: finalizers.length === 0 ? undefined : finalizers,
    };
    return { kind: 'mark', object: withMetadata(live, changes) };
  }
  if (!held && grace === 0 && gracePeriod === undefined) return { kind: 'remove', object: live };
  const marked = withMetadata(live, {
    deletionTimestamp: timestamp(nowMs + grace * 1000),
    // A namespace that only its spec.finalizers hold carries no grace period upstream.
    deletionGracePeriodSeconds: namespaceFinalizers(live).length > 0 && finalizers.length === 0 ? undefined : grace,
    generation: live.metadata.generation === undefined ? undefined : live.metadata.generation + 1,
    finalizers: finalizers.length === 0 ? undefined : finalizers,
  });
  return { kind: !held && grace === 0 ? 'remove' : 'mark', object: terminating(marked) };
}

function terminating(object: ApiObject): ApiObject {
  if (object.kind !== 'Namespace') return object;
  // Narrowed by kind.
  const namespace = object as Namespace;
  const marked: Namespace = { ...namespace, status: { ...namespace.status, phase: 'Terminating' } };
  return marked;
}

/** Seconds of grace: kinds without grace have none; an object whose default is none needs none whatever is asked. */
function graceOf(gracePeriod: ((object: ApiObject) => number) | undefined, live: ApiObject, asked: number | undefined): number {
  if (gracePeriod === undefined) return 0;
  const standard = gracePeriod(live);
  if (standard === 0 || asked === undefined) return standard;
  // Upstream: a negative period counts as one second.
  return asked < 0 ? 1 : asked;
}

function shifted(time: string, seconds: number): string {
  return timestamp(Date.parse(time) + seconds * 1000);
}

function finalizersFor(live: ApiObject, { propagationPolicy, orphanDependents }: DeleteOptions): string[] {
  const present = [...(live.metadata.finalizers ?? [])];
  const policy = propagationPolicy ?? (orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background');
  if (policy === undefined) return present;
  const others = present.filter((finalizer) => finalizer !== FOREGROUND_FINALIZER && finalizer !== ORPHAN_FINALIZER);
  if (policy === 'Foreground') return [...others, FOREGROUND_FINALIZER];
  return policy === 'Orphan' ? [...others, ORPHAN_FINALIZER] : others;
}

/** 409 unless uid and resourceVersion are those that the options ask for. */
function checkPreconditions(call: Call, live: ApiObject, { preconditions = {} }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions;
  const { gvk } = call.scope;
  const refuse = (what: 'UID' | 'ResourceVersion', wanted: string, actual = ''): Error => {
    const qualified = gvk.group === '' ? gvk.kind : `${gvk.kind}.${gvk.group}`;
    const name = live.metadata.name ?? '';
    const happened = what === 'UID' ? 'deleted and then recreated' : 'modified';
    const message = `Operation cannot be fulfilled on ${qualified} ${JSON.stringify(name)}: the ${what} in the precondition (${wanted}) does not match the ${what} in record (${actual}). The object might have been ${happened}`;
    return refusal(409, 'Conflict', message, { name, ...(gvk.group === '' ? {} : { group: gvk.group }), kind: gvk.kind });
  };
  if (uid !== undefined && uid !== live.metadata.uid) throw refuse('UID', uid, live.metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion)
    throw refuse('ResourceVersion', resourceVersion, live.metadata.resourceVersion);
}

/** Deletes what a list with the call's selectors returns; the objects as they were listed. */
export async function deleteCollection(core: Core, call: Call): Promise<{ readonly items: readonly StoredObject[]; readonly revision: number }> {
  const options = await deleteOptions(call);
  const { items, revision } = await listObjects(core, call);
  for (const { object } of items) {
    const { namespace = '', name = '' } = object.metadata;
    try {
      await deleteObject(core, call, options, { namespace, name });
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown;
    }
  }
  return { items, revision };
}
