/** The port to whatever runs containers. */
import type { OciSpec } from '#cdi';

/** A container to start. Paths are absolute and exist. */
export interface ContainerRequest {
  readonly podUid: string;
  readonly podNamespace: string;
  readonly podName: string;
  readonly containerName: string;
  readonly image: string;
  /** How often this container was restarted. */
  readonly attempt: number;
  /** With all CDI edits applied. */
  readonly oci: OciSpec;
  /** Values in it that come from Secrets and must not be shown. */
  readonly secrets: ReadonlySet<string>;
  /** The bundle's directory; config.json is there already. */
  readonly bundleDir: string;
  readonly logFile: string;
}

/** How a container ended. */
export interface ContainerExit {
  readonly exitCode: number;
  readonly signal?: number | undefined;
}

/** A container that was started. */
export interface ContainerHandle {
  /** `<runtime>://<id>`, as pod status shows it. */
  readonly id: string;
  /** Resolves when it has ended; never rejects. */
  readonly exited: Promise<ContainerExit>;
  /** Asks it to end and ends it by force after the grace period. Resolves when it has ended. */
  stop(graceSeconds: number): Promise<void>;
}

/** Runs containers of the images it accepts. */
export interface ContainerRuntime {
  readonly name: string;
  accepts(image: string): boolean;
  /** Rejects when the container cannot be started. */
  start(request: ContainerRequest): Promise<ContainerHandle>;
  /** Takes over a container that ran before the node agent restarted; undefined when it did not survive. */
  adopt(request: Omit<ContainerRequest, 'oci' | 'secrets'>): Promise<ContainerHandle | undefined>;
  /** Ends the container of a bundle that a node agent which crashed left running and that is not adopted. */
  endLeftovers?(bundleDirs: readonly string[]): Promise<void>;
}
