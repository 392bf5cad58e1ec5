/** Writes and removes CDI files as drivers do. */
import type { HostFiles } from '#ports';
import { CdiError, type CdiSpec } from './spec.ts';
import { validateSpec } from './validate.ts';
import { minimumVersion } from './version.ts';

/** The file's name without ending: vendor-class, for a file that lives as long as a claim vendor-class_id. */
export function specFileName(vendor: string, deviceClass: string, transientId = ''): string {
  const id = transientId.replaceAll(/[/:\\]/g, '_');
  return id === '' ? `${vendor}-${deviceClass}` : `${vendor}-${deviceClass}_${id}`;
}

/** Writes `<directory>/<name>.json` in one step, declaring the oldest version that fits. Throws CdiError for an invalid spec. */
export async function writeSpec(files: HostFiles, directory: string, name: string, spec: Omit<CdiSpec, 'cdiVersion'>): Promise<void> {
  if (name.includes('/') || name.startsWith('.')) throw new CdiError(`invalid CDI file name ${JSON.stringify(name)}`);
  const complete: CdiSpec = { cdiVersion: minimumVersion(spec), ...spec };
  validateSpec(complete);
  await files.makeDirectory(directory);
  await files.writeAtomic(`${directory}/${name}.json`, `${JSON.stringify(complete, undefined, 2)}\n`);
}

/** Removes what `writeSpec` wrote; nothing there is fine. */
export function removeSpec(files: HostFiles, directory: string, name: string): Promise<void> {
  return files.remove(`${directory}/${name}.json`);
}
