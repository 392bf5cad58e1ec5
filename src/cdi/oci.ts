/** The parts of an OCI runtime spec (config.json) that CDI changes; everything else passes through untouched. */

/** An OCI runtime spec. */
export interface OciSpec {
  ociVersion?: string;
  process?: OciProcess;
  mounts?: OciMount[];
  hooks?: Record<string, OciHook[]>;
  linux?: OciLinux;
  [other: string]: unknown;
}

/** The container's process. */
export interface OciProcess {
  user?: { uid?: number; gid?: number; additionalGids?: number[]; [other: string]: unknown };
  env?: string[];
  [other: string]: unknown;
}

/** A mount in the container. */
export interface OciMount {
  destination: string;
  source?: string;
  type?: string;
  options?: string[];
  [other: string]: unknown;
}

/** A hook. */
export interface OciHook {
  path: string;
  args?: readonly string[];
  env?: readonly string[];
  timeout?: number;
}

/** Linux settings. */
export interface OciLinux {
  devices?: OciDevice[];
  netDevices?: Record<string, { name: string }>;
  resources?: { devices?: OciDeviceRule[]; [other: string]: unknown };
  intelRdt?: object;
  namespaces?: { type: string; path?: string }[];
  [other: string]: unknown;
}

/** A device node in the container. */
export interface OciDevice {
  path: string;
  type: string;
  major?: number;
  minor?: number;
  fileMode?: number;
  uid?: number;
  gid?: number;
}

/** A rule of the device cgroup. */
export interface OciDeviceRule {
  allow: boolean;
  type?: string;
  major?: number;
  minor?: number;
  access?: string;
}
