/** What an administrator may ask of the store while it is served. */
import { type ServerRequest, type ServerResponse, jsonResponse } from './http/message.ts';
import { methodNotAllowed } from '#machinery';
import type { Core } from './options.ts';

/** POST here forgets all history before the present: older revisions can no longer be read or watched (410). */
export const COMPACT_PATH = '/dray/compact';

/** Serves a maintenance path, undefined for others. */
export async function maintenance({ objects: { store } }: Core, path: string, { method }: ServerRequest): Promise<ServerResponse | undefined> {
  if (path !== COMPACT_PATH) return undefined;
  if (method !== 'POST') throw methodNotAllowed();
  const revision = store.revision();
  await store.compact(revision);
  const message = `history before revision ${String(revision)} is forgotten`;
  return jsonResponse(200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', message });
}
