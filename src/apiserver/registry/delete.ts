/** DELETE: preconditions, finalizers, grace, and many at once. */
import type { Namespace } from '#api';
import { type ApiObject, conflict, type DeleteOptions, isNotFound, notFound, type ObjectMeta } from '#machinery';
import { type Core, timestamp } from '../options.ts';
import { refusal, storedKind } from '../refusals.ts';
import { type Call, deletionRequest } from './call.ts';
import { deleteOptions } from './delete-options.ts';
import { namespaceFinalizers } from './finish.ts';
import { listObjects, type Page } from './list.ts';
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

/** Deletes the named object of the call. `status` is that of the answer: 202 for a cascade, asked for by its older name, that is under way. */
export async function deleteNamed(core: Core, call: Call): Promise<DeleteResult & { readonly status: number }> {
  const options = await deleteOptions(call);
  const result = await deleteObject(core, call, options, { namespace: call.target.namespace, name: call.target.name });
  return { ...result, status: !result.gone && options.orphanDependents === false ? 202 : 200 };
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
  const policed = withPolicy(call, options);
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

/** The options with the kind's policy in place of none, or with none where nothing depends on objects of the kind; the caller is warned (upstream: registry/batch/job). */
function withPolicy(call: Call, options: DeleteOptions): DeleteOptions {
  if (call.scope.kind.dependentless === true) return { ...options, propagationPolicy: undefined, orphanDependents: undefined };
  if (call.scope.kind.orphansByDefault !== true || options.propagationPolicy !== undefined || options.orphanDependents !== undefined) return options;
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

type GracePeriod = ((object: ApiObject) => number) | undefined;

/** Decides a delete (upstream: rest.BeforeDelete and the generic registry's deletionFinalizersForGarbageCollection). */
function planDeletion(gracePeriod: GracePeriod, live: ApiObject, options: DeleteOptions, nowMs: number): Plan {
  if (namespaceFinalizers(live).length > 0) return planNamespaceDeletion(live, options, nowMs);
  const { deletionTimestamp } = live.metadata;
  if (deletionTimestamp !== undefined) return planAgain(gracePeriod, live, options, deletionTimestamp);
  const grace = graceOf(gracePeriod, live, options.gracePeriodSeconds);
  const finalizers = finalizersFor(live, options);
  const held = finalizers.length > 0;
  if (!held && grace === 0 && gracePeriod === undefined) return { kind: 'remove', object: live };
  const marked = withMetadata(live, {
    deletionTimestamp: timestamp(nowMs + grace * 1000),
    deletionGracePeriodSeconds: grace,
    generation: live.metadata.generation === undefined ? undefined : live.metadata.generation + 1,
    finalizers: orAbsent(finalizers),
  });
  return { kind: !held && grace === 0 ? 'remove' : 'mark', object: terminating(marked) };
}

/** Of an object that is being deleted: its grace can be shortened, and without grace the finalizers can be chosen anew. */
function planAgain(gracePeriod: GracePeriod, live: ApiObject, options: DeleteOptions, deletionTimestamp: string): Plan {
  const grace = graceOf(gracePeriod, live, options.gracePeriodSeconds);
  const finalizers = finalizersFor(live, options);
  const { deletionGracePeriodSeconds: earlier = 0, finalizers: present = [] } = live.metadata;
  const at = (seconds: number): ObjectMeta => ({ deletionGracePeriodSeconds: seconds, deletionTimestamp: shifted(deletionTimestamp, seconds - earlier) });
  if (finalizers.length === 0 && grace === 0) return { kind: 'remove', object: withMetadata(live, at(0)) };
  if (gracePeriod === undefined) {
    const same = finalizers.length === present.length && finalizers.every((finalizer, index) => finalizer === present[index]);
    return same ? { kind: 'nothing' } : { kind: 'mark', object: withMetadata(live, { finalizers }) };
  }
  if (options.gracePeriodSeconds === undefined || grace >= earlier) return { kind: 'nothing' };
  return { kind: 'mark', object: withMetadata(live, { ...at(grace), finalizers: orAbsent(finalizers) }) };
}

/** A namespace is marked once, without grace, and goes when its contents are gone (upstream: registry/core/namespace). */
function planNamespaceDeletion(live: ApiObject, { propagationPolicy, orphanDependents }: DeleteOptions, nowMs: number): Plan {
  if (live.metadata.deletionTimestamp !== undefined) return { kind: 'nothing' };
  const policy = orphanDependents === undefined ? propagationPolicy : orphanDependents ? 'Orphan' : 'Foreground';
  const finalizers = finalizersFor(live, { propagationPolicy: policy });
  return { kind: 'mark', object: terminating(withMetadata(live, { deletionTimestamp: timestamp(nowMs), finalizers: orAbsent(finalizers) })) };
}

function orAbsent(finalizers: readonly string[]): readonly string[] | undefined {
  return finalizers.length === 0 ? undefined : finalizers;
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
  const { groupResource } = call.scope;
  const gvk = storedKind(call.scope);
  const refuse = (what: 'UID' | 'ResourceVersion', wanted: string, actual = ''): Error => {
    const qualified = gvk.group === '' ? gvk.kind : `${gvk.kind}.${gvk.group}`;
    const name = live.metadata.name ?? '';
    if (live.kind === 'Namespace')
      return conflict(groupResource, name, `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${actual}`);
    const happened = what === 'UID' ? 'deleted and then recreated' : 'modified';
    const message = `Operation cannot be fulfilled on ${qualified} ${JSON.stringify(name)}: the ${what} in the precondition (${wanted}) does not match the ${what} in record (${actual}). The object might have been ${happened}`;
    return refusal(409, 'Conflict', message, { name, ...(gvk.group === '' ? {} : { group: gvk.group }), kind: gvk.kind });
  };
  if (uid !== undefined && uid !== live.metadata.uid) throw refuse('UID', uid, live.metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion)
    throw refuse('ResourceVersion', resourceVersion, live.metadata.resourceVersion);
}

/** Deletes what a list with the call's options returns; the objects as they were listed. */
export async function deleteCollection(core: Core, call: Call): Promise<Page> {
  const options = withPolicy(call, await deleteOptions(call));
  const page = await listObjects(core, call);
  for (const { object } of page.items) {
    const { namespace = '', name = '' } = object.metadata;
    try {
      await deleteObject(core, call, options, { namespace, name });
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown;
    }
  }
  return page;
}
