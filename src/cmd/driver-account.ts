/** The service account of the example driver and its rights, as its manifest gives them. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Applier, parseManifests } from '#cli';
import { NODES, requestToken, type RestClient } from '#client';

const MANIFEST = fileURLToPath(new URL('../../drivers/example-gpu/rbac.yaml', import.meta.url));

/** Creates what of the manifest is not there yet; what somebody changed stays as it is. */
export async function applyDriverAccount(client: RestClient): Promise<void> {
  const applier = new Applier(client);
  for (const manifest of await parseManifests(await readFile(MANIFEST, 'utf8'), MANIFEST)) await applier.createIfAbsent(manifest);
}

/** A year: the driver process does not renew its token, and its node ends it sooner. */
const TOKEN_SECONDS = 365 * 24 * 3600;

/** A token of the driver's account that is bound to the node: so the driver may write of claims that are allocated there. */
export async function driverToken(client: RestClient, nodeName: string): Promise<string> {
  const { uid } = (await client.get(NODES, nodeName)).metadata;
  const spec = { expirationSeconds: TOKEN_SECONDS, boundObjectRef: { apiVersion: 'v1', kind: 'Node', name: nodeName, uid } };
  return (await requestToken(client, { namespace: 'kube-system', account: 'example-gpu', spec }, new AbortController().signal)).token;
}
