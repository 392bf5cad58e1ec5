/** The service account of the example driver and its rights, as its manifest gives them. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Applier, parseManifests } from '#cli';
import { errorOfResponse, NODES, pathOf, readText, type RestClient, SERVICE_ACCOUNTS } from '#client';
import { isJsonObject, parseJson, stringifyJson } from '#machinery';

const MANIFEST = fileURLToPath(new URL('../../drivers/example-gpu/rbac.yaml', import.meta.url));

/** Creates what of the manifest is not there yet; what somebody changed stays as it is. */
export async function applyDriverAccount(client: RestClient): Promise<void> {
  const applier = new Applier(client);
  for (const manifest of parseManifests(await readFile(MANIFEST, 'utf8'), MANIFEST)) await applier.createIfAbsent(manifest);
}

/** A year: the driver process does not renew its token, and its node ends it sooner. */
const TOKEN_SECONDS = 365 * 24 * 3600;

/** A token of the driver's account that is bound to the node: so the driver may write of claims that are allocated there. */
export async function driverToken(client: RestClient, nodeName: string): Promise<string> {
  const { uid } = (await client.get(NODES, nodeName)).metadata;
  const spec = { expirationSeconds: TOKEN_SECONDS, boundObjectRef: { apiVersion: 'v1', kind: 'Node', name: nodeName, uid } };
  const body = stringifyJson({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
  const path = pathOf(SERVICE_ACCOUNTS, 'kube-system', 'example-gpu', 'token');
  const response = await client.raw({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body }, new AbortController().signal);
  if (response.status !== 201) throw await errorOfResponse(response);
  const answer = parseJson(await readText(response.body));
  const status = isJsonObject(answer) ? answer['status'] : undefined;
  const token = isJsonObject(status) ? status['token'] : undefined;
  if (typeof token !== 'string') throw new Error('the API server gave no token for the driver');
  return token;
}
