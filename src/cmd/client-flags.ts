/** The flags of commands that are clients of the API, as commander hands them over. */
import type { GetFormat } from '#cli';

/** Which server, as whom, and which namespace. */
export interface ClientFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** Flags of `dray get`. */
export interface GetFlags extends ClientFlags {
  readonly allNamespaces?: boolean;
  readonly output?: GetFormat;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly watch?: boolean;
  readonly headers: boolean;
}

/** Flags of `dray apply`. */
export interface ManifestFlags extends ClientFlags {
  readonly filename?: readonly string[];
}

/** Flags of `dray delete`; times in seconds. */
export interface DeleteFlags extends ManifestFlags {
  readonly selector?: string;
  readonly all?: boolean;
  readonly gracePeriod?: number;
  readonly ignoreNotFound?: boolean;
  readonly wait: boolean;
  readonly timeout?: number;
}

/** Flags of `dray logs`. */
export interface LogsFlags extends ClientFlags {
  readonly container?: string;
  readonly follow?: boolean;
  readonly tail?: number;
}
