/** The service account of the example driver and its rights, as its manifest gives them. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Applier, parseManifests } from '#cli';
import type { RestClient } from '#client';

const MANIFEST = fileURLToPath(new URL('../../drivers/example-gpu/rbac.yaml', import.meta.url));

/** Creates what of the manifest is not there yet; what somebody changed stays as it is. */
export async function applyDriverAccount(client: RestClient): Promise<void> {
  const applier = new Applier(client);
  for (const manifest of parseManifests(await readFile(MANIFEST, 'utf8'), MANIFEST)) await applier.createIfAbsent(manifest);
}
