/** Dispatches a call on a kind to its verb. */
import { badRequest, methodNotAllowed, notFound } from '#machinery';
import { type ServerResponse, jsonResponse } from '../http/message.ts';
import { isOn } from '../http/request-info.ts';
import type { Core } from '../options.ts';
import { requestToken } from '../token-request.ts';
import { bindPod, evictPod, podLog } from '../pods.ts';
import type { Call } from './call.ts';
import { create } from './create.ts';
import { deleteCollection, deleteNamed } from './delete.ts';
import { shownCall } from './lens.ts';
import { listPage, pageLength } from './list.ts';
import { checkListLength, reachedRevision } from './list-options.ts';
import { patch } from './patch.ts';
import { StoredObject, withMetadata } from './object-store.ts';
import { checkWanted, listResponse, objectResponse, watchRendering } from './respond.ts';
import { scaleLens } from './scale.ts';
import { type UpdateResult, update } from './update.ts';
import { watch } from './watch.ts';

/** Core kinds whose DELETE answers with the deleted object instead of a Status (ReturnDeletedObject upstream). */
const RETURNS_DELETED: ReadonlySet<string> = new Set([
  'pods',
  'resourcequotas',
  'serviceaccounts',
  'services',
  'persistentvolumes',
  'persistentvolumeclaims',
  'podtemplates',
]);

/** Subresources with handlers of their own: method, plural and name. */
const SPECIAL: Readonly<Record<string, (core: Core, call: Call) => Promise<ServerResponse>>> = {
  'create pods/binding': bindPod,
  'create pods/eviction': evictPod,
  'get pods/log': podLog,
  'create serviceaccounts/token': requestToken,
};

/** Serves a call whose caller is authorized already. */
export async function handleCall(core: Core, call: Call): Promise<ServerResponse> {
  const { verb, subresource } = call.target;
  const { kind } = call.scope;
  const special = kind.group === '' ? SPECIAL[`${verb} ${kind.plural}/${subresource}`] : undefined;
  if (special !== undefined) return special(core, call);
  // Before anything is done: the answer of a write cannot be refused any more.
  checkWanted(call);
  return subresource === 'scale' ? handleScale(core, call) : handleVerb(core, call);
}

/** Reads and writes an object as its scale. */
async function handleScale(core: Core, call: Call): Promise<ServerResponse> {
  const lens = scaleLens(core, call);
  const { verb } = call.target;
  const stored = verb === 'get' ? await live(core, call) : (await (verb === 'update' ? update : patch)(core, call, lens)).stored;
  const scale = withMetadata(lens.show(stored.in(call.scope)), { managedFields: undefined });
  return objectResponse(core, shownCall(call, lens), new StoredObject(scale, stored.revision));
}

async function handleVerb(core: Core, call: Call): Promise<ServerResponse> {
  switch (call.target.verb) {
    case 'get':
      return get(core, call);
    case 'list':
      return listPage(core, call, (page) => {
        checkListLength(pageLength(page));
        return listResponse(core, call, page);
      });
    case 'watch':
      return watchResponse(core, call);
    case 'create':
      return objectResponse(core, call, await create(core, call), 201);
    case 'update':
      return updateResponse(core, call, await update(core, call));
    case 'patch':
      return updateResponse(core, call, await patch(core, call));
    case 'delete':
      return deleteResponse(core, call, await deleteNamed(core, call));
    case 'deletecollection':
      return listResponse(core, call, await deleteCollection(core, call));
    default:
      throw methodNotAllowed();
  }
}

async function get(core: Core, call: Call): Promise<ServerResponse> {
  if (isOn(call.info.query, 'export')) throw badRequest('the export parameter, deprecated since v1.14, is no longer supported');
  return objectResponse(core, call, await live(core, call));
}

async function live(core: Core, call: Call): Promise<StoredObject> {
  reachedRevision(call.info.query, core.objects.store.revision());
  const stored = await core.objects.get(call.scope, call.target.namespace, call.target.name);
  if (stored === undefined) throw notFound(call.scope.groupResource, call.target.name);
  return stored;
}

async function watchResponse(core: Core, call: Call): Promise<ServerResponse> {
  const body = await watch(core, call, watchRendering(core, call));
  return { status: 200, headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' }, body, live: true };
}

function updateResponse(core: Core, call: Call, { stored, created }: UpdateResult): ServerResponse {
  return objectResponse(core, call, stored, created ? 201 : 200);
}

function deleteResponse(core: Core, call: Call, { stored, gone, status }: Awaited<ReturnType<typeof deleteNamed>>): ServerResponse {
  const { kind, groupResource } = call.scope;
  const returnsObject = kind.group === 'resource.k8s.io' || (kind.group === '' && RETURNS_DELETED.has(kind.plural));
  if (!gone || returnsObject) return objectResponse(core, call, stored, status);
  const { name, uid } = stored.object.metadata;
  const group = groupResource.group === '' ? {} : { group: groupResource.group };
  return jsonResponse(200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details: { name, ...group, kind: kind.plural, uid } });
}
