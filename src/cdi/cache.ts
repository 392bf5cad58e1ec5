/** Looks up CDI devices in the spec directories and injects them. */
import { asError } from '#base';
import type { HostFiles } from '#ports';
import { applyEdits } from './inject.ts';
import { qualifiedName, splitKind } from './name.ts';
import type { OciSpec } from './oci.ts';
import { parseSpec } from './parse.ts';
import { type CdiDevice, CdiError, type CdiSpec, type ContainerEdits } from './spec.ts';
import { validateSpec } from './validate.ts';

/** A loaded file. */
export interface ResolvedSpec {
  readonly path: string;
  /** Index of its directory; higher wins. */
  readonly priority: number;
  readonly spec: CdiSpec;
}

/** What is wrong with files, by path. */
export type CdiProblems = ReadonlyMap<string, readonly string[]>;

interface Known {
  readonly device: CdiDevice;
  readonly from: ResolvedSpec;
}

/** The devices found at the last `refresh`. Directories are given in rising priority, usually /etc/cdi, /var/run/cdi. */
export class CdiCache {
  readonly #files: HostFiles;
  readonly #directories: readonly string[];
  #devices: ReadonlyMap<string, Known> = new Map();
  #problems: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(files: HostFiles, directories: readonly string[]) {
    this.#files = files;
    this.#directories = directories;
  }

  /** Reads all directories again. A bad file is kept as a problem; the others stay usable. */
  async refresh(): Promise<void> {
    const problems = new Map<string, string[]>();
    const note = (path: string, text: string): void => {
      problems.set(path, [...(problems.get(path) ?? []), text]);
    };
    const specs: ResolvedSpec[] = [];
    for (const [priority, directory] of this.#directories.entries()) {
      for (const entry of await this.#files.list(directory)) {
        if (entry.kind === 'directory' || !/\.(json|yaml)$/.test(entry.name)) continue;
        const path = `${directory}/${entry.name}`;
        const spec = await this.#load(path).catch((error: unknown) => note(path, `failed to load CDI Spec ${asError(error).message}`));
        if (spec !== undefined) specs.push({ path, priority, spec });
      }
    }
    this.#devices = indexDevices(specs, note);
    this.#problems = problems;
  }

  async #load(path: string): Promise<CdiSpec> {
    const spec = parseSpec(await this.#files.readText(path), path);
    validateSpec(spec);
    return spec;
  }

  /** Qualified names of all usable devices, sorted. */
  devices(): readonly string[] {
    return [...this.#devices.keys()].sort();
  }

  /** What was wrong at the last refresh. */
  problems(): CdiProblems {
    return this.#problems;
  }

  /** The edits of devices in the given order, each file's own edits before its first device. Throws CdiError naming all unresolvable ones. */
  edits(names: readonly string[]): readonly ContainerEdits[] {
    const missing = names.filter((name) => !this.#devices.has(name));
    if (missing.length > 0) throw new CdiError(`unresolvable CDI devices ${missing.join(', ')}`);
    const edits: ContainerEdits[] = [];
    const opened = new Set<ResolvedSpec>();
    for (const name of names) {
      const known = this.#devices.get(name);
      if (known === undefined) continue;
      if (!opened.has(known.from)) {
        opened.add(known.from);
        edits.push(known.from.spec.containerEdits ?? {});
      }
      edits.push(known.device.containerEdits);
    }
    return edits;
  }

  /** The OCI spec with the devices injected; `oci` is untouched, also on failure. */
  inject(oci: OciSpec, names: readonly string[]): Promise<OciSpec> {
    return applyEdits(oci, this.edits(names), this.#files);
  }
}

/** Higher priority wins; two files of the highest priority that define one device make it unusable, as upstream. */
function indexDevices(specs: readonly ResolvedSpec[], note: (path: string, text: string) => void): ReadonlyMap<string, Known> {
  const devices = new Map<string, Known>();
  const conflicting = new Set<string>();
  for (const from of specs) {
    const { vendor, class: deviceClass } = splitKind(from.spec.kind);
    for (const device of from.spec.devices) {
      const name = qualifiedName(vendor, deviceClass, device.name);
      const other = devices.get(name);
      if (other !== undefined && other.from.priority === from.priority) {
        const text = `conflicting device ${JSON.stringify(name)} (specs ${JSON.stringify(from.path)}, ${JSON.stringify(other.from.path)})`;
        note(from.path, text);
        note(other.from.path, text);
        conflicting.add(name);
      } else if (other === undefined || other.from.priority < from.priority) {
        devices.set(name, { device, from });
      }
    }
  }
  for (const name of conflicting) devices.delete(name);
  return devices;
}
