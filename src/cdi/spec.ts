/** The CDI spec file as types (CDI SPEC.md 1.1.0). */

/** Something in a CDI file or name that cannot be accepted; the text is the reference library's where it has one. */
export class CdiError extends Error {
  override readonly name = 'CdiError';
}

/** A CDI file. */
export interface CdiSpec {
  readonly cdiVersion: string;
  /** vendor/class. */
  readonly kind: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly devices: readonly CdiDevice[];
  /** Applied once if any device of the file is used. */
  readonly containerEdits?: ContainerEdits | undefined;
}

/** A device of a file and the edits it makes. */
export interface CdiDevice {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly containerEdits: ContainerEdits;
}

/** Changes to a container's OCI spec. */
export interface ContainerEdits {
  /** NAME=value. */
  readonly env?: readonly string[] | undefined;
  readonly deviceNodes?: readonly DeviceNode[] | undefined;
  readonly netDevices?: readonly NetDevice[] | undefined;
  readonly mounts?: readonly Mount[] | undefined;
  readonly hooks?: readonly Hook[] | undefined;
  readonly intelRdt?: IntelRdt | undefined;
  readonly additionalGids?: readonly number[] | undefined;
}

/** A device node in the container; what is absent comes from the host's node. */
export interface DeviceNode {
  readonly path: string;
  readonly hostPath?: string | undefined;
  readonly type?: string | undefined;
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  readonly fileMode?: number | undefined;
  readonly permissions?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** A network interface moved into the container. */
export interface NetDevice {
  readonly hostInterfaceName: string;
  readonly name: string;
}

/** A mount. */
export interface Mount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type?: string | undefined;
  readonly options?: readonly string[] | undefined;
}

/** A program run at a point of the container's life. */
export interface Hook {
  readonly hookName: string;
  readonly path: string;
  readonly args?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
  readonly timeout?: number | undefined;
}

/** Intel resource director settings. */
export interface IntelRdt {
  readonly closID?: string | undefined;
  readonly l3CacheSchema?: string | undefined;
  readonly memBwSchema?: string | undefined;
  readonly schemata?: readonly string[] | undefined;
  readonly enableMonitoring?: boolean | undefined;
}
