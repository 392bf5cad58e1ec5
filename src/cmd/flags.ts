/** The flags of commands that run components, and how their texts are read. Loads none of the layers: what takes those is a text that `api-flags.ts` reads. */
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { LogLevel } from '#platform';
import type { TokenAuthenticator } from './token-file.ts';

/** The components that `--components` names. */
export const COMPONENTS = ['apiserver', 'scheduler', 'controller-manager', 'nodeagent', 'driver'] as const;
/** One of them. */
export type ComponentName = (typeof COMPONENTS)[number];

/** Which Kubernetes is emulated. */
export interface VersionFlags {
  readonly featureGates?: Readonly<Record<string, boolean>>;
  readonly emulatedVersion?: string;
}

/** What is logged. */
export interface LogFlags {
  readonly verbose?: boolean;
}

/** Flags of `dray apiserver`. */
export interface ApiServerFlags extends VersionFlags, LogFlags {
  readonly dataDir: string;
  readonly bindAddress: string;
  readonly securePort?: number;
  readonly kubeconfig?: string;
  readonly runtimeConfig?: string;
  readonly store: 'sqlite' | 'memory';
  /** The users of the file. */
  readonly tokenAuthFile?: TokenAuthenticator;
  readonly anonymousAuth?: boolean;
  readonly allowPrivileged?: boolean;
  readonly authorizationMode?: string;
  readonly enableAdmissionPlugins?: string;
  readonly disableAdmissionPlugins?: string;
  readonly serviceAccountIssuer?: string;
  /** 0 is no limit. */
  readonly maxRequestsInflight?: number;
  readonly maxMutatingRequestsInflight?: number;
  readonly serviceAccountJwksUri?: string;
}

/** Flags of a component that is a client of the API server. */
export interface ComponentFlags extends VersionFlags, LogFlags {
  readonly kubeconfig: string;
}

/** Flags of the leader election, with upstream's names; durations as Go writes them. */
export interface LeaderElectionFlags {
  readonly leaderElect: boolean;
  readonly leaderElectLeaseDuration?: string;
  readonly leaderElectRenewDeadline?: string;
  readonly leaderElectRetryPeriod?: string;
  readonly leaderElectResourceName?: string;
  readonly leaderElectResourceNamespace?: string;
}

/** Flags of `dray scheduler` and `dray controller-manager`. */
export interface ControllerFlags extends ComponentFlags, LeaderElectionFlags {
  /** The scheduler's configuration file. */
  readonly config?: string;
  /** The controllers': the certificates that pods shall know the API server by. */
  readonly rootCaFile?: string;
  /** Where its own endpoint listens, and where the certificate of that is kept. */
  readonly bindAddress: string;
  readonly securePort?: number;
  readonly certDir?: string;
}

/** Flags of `dray nodeagent`. */
export interface NodeFlags extends ComponentFlags {
  readonly nodeName: string;
  readonly rootDir: string;
  /** Where CDI files are looked for, of rising priority. */
  readonly cdiSpecDirs?: readonly string[];
  /** Where its own endpoint listens, and where the certificate of that is kept. */
  readonly bindAddress: string;
  readonly securePort?: number;
  readonly certDir?: string;
}

/** Flags of `dray driver run`. */
export interface DriverFlags {
  readonly kubeconfig: string;
  readonly nodeName: string;
  readonly rootDir: string;
  readonly driverName?: string;
  readonly cdiDir?: string;
}

/** Flags of `dray up`. */
export interface UpFlags extends ApiServerFlags {
  readonly components?: ReadonlySet<ComponentName>;
  readonly nodes: number;
  readonly devices: string;
  readonly rootDir?: string;
  /** A KubeSchedulerConfiguration file. */
  readonly schedulerConfig?: string;
  readonly once?: boolean;
  readonly examples: boolean;
  /** Seconds that the examples may take. */
  readonly timeout: number;
}

/** The issuer of service account tokens without --service-account-issuer, as kubeadm names it. */
export const DEFAULT_SERVICE_ACCOUNT_ISSUER = 'https://kubernetes.default.svc.cluster.local';
/** Simulated nodes of `dray up`. */
export const DEFAULT_NODES = 2;
/** A node is an agent in the process and a driver process beside it: more than these are a mistake rather than a wish. */
const NODES_MAX = 1_000;
/** Seconds that the examples may take. */
export const DEFAULT_EXAMPLES_SECONDS = 60;
/** The emulated minor without --emulated-version: the one whose behaviour was recorded. */
export const DEFAULT_EMULATED_VERSION = '1.36';
const EMULATED_VERSION = /^(?:kube=)?(1\.3[1-7])$/;
/** Device sets that the example driver brings along. */
const PRESETS = new Map([
  ['gpu', 'eight GPUs a node'],
  ['showcase', 'also GPUs to share and to partition'],
]);
/** The emulated minor version. */
export function emulatedVersionOf({ emulatedVersion = DEFAULT_EMULATED_VERSION }: VersionFlags): string {
  return emulatedVersion;
}

/** What components log on standard error. */
export function logLevelOf({ verbose }: LogFlags): LogLevel {
  return verbose === true ? 'info' : 'error';
}

/** The device set as the driver takes it: a preset's name or an absolute path; throws when there is neither. */
export function devicesOf(text: string): string {
  if (PRESETS.has(text)) return text;
  if (!existsSync(text)) throw new Error(`"${text}" is neither a device file nor one of the presets ${[...PRESETS.keys()].join(', ')}`);
  return resolve(text);
}

/** Whether `--devices` names a preset. */
export function isPreset(devices: string): boolean {
  return PRESETS.has(devices);
}

/** The simulated nodes. */
export function nodeNamesOf({ nodes }: UpFlags): readonly string[] {
  return Array.from({ length: nodes }, (_, index) => `node-${String(index + 1)}`);
}

/** The presets with what they are, for help texts. */
export function presetsText(): string {
  return [...PRESETS].map(([name, what]) => `${name} (${what})`).join(', ');
}

/** Reads --emulated-version, with or without upstream's `kube=`. */
export function parseEmulatedVersion(text: string): string {
  const version = EMULATED_VERSION.exec(text)?.[1];
  if (version === undefined) throw new Error('dray emulates 1.31 to 1.37');
  return version;
}

/** Reads `A=true,B=false`; a name alone means true. */
export function parseBooleans(text: string): Readonly<Record<string, boolean>> {
  const pairs = text.split(',').map((pair) => pair.trim());
  return Object.fromEntries(
    pairs
      .filter((pair) => pair !== '')
      .map((pair) => {
        const [name = '', value = 'true', ...more] = pair.split('=').map((part) => part.trim());
        if (name === '' || more.length > 0) throw new Error(`"${pair}" is not NAME=true or NAME=false`);
        try {
          return [name, parseBoolean(value)];
        } catch {
          throw new Error(`"${pair}" is not ${name}=true or ${name}=false`);
        }
      }),
  );
}

/** Reads a boolean as Go's flags do. */
export function parseBoolean(text: string): boolean {
  if (/^(true|t|1)$/i.test(text)) return true;
  if (/^(false|f|0)$/i.test(text)) return false;
  throw new Error('neither true nor false');
}

/** Reads --service-account-jwks-uri. */
export function parseJwksUri(text: string): string {
  if (URL.parse(text)?.protocol !== 'https:') throw new Error('not a URL that begins with https://');
  return text;
}

/** Reads an IP address. */
export function parseAddress(text: string): string {
  if (isIP(text) === 0) throw new Error('not an IP address');
  // Neither certificates nor addresses of servers have a place for one (RFC 5280, RFC 3986).
  if (text.includes('%')) throw new Error('an address with a zone cannot be served');
  return text;
}

/** Reads a TCP port; 0 takes any free one. */
export function parsePort(text: string): number {
  return wholeNumber(text, { min: 0, max: 65_535, what: 'a port' });
}

/** Reads a list of directories; the paths are made absolute. */
export function parseDirectories(text: string): readonly string[] {
  return text.split(',').map((directory) => resolve(directory.trim()));
}

/** Reads --nodes. */
export function parseNodes(text: string): number {
  return wholeNumber(text, { min: 1, max: NODES_MAX, what: 'a number of nodes' });
}

/** Reads a span of time. */
export function parseSeconds(text: string): number {
  return wholeNumber(text, { min: 1, max: 86_400, what: 'a number of seconds' });
}

/** Reads a span of time that may be none. */
export function parseSecondsOrNone(text: string): number {
  return wholeNumber(text, { min: 0, max: 86_400, what: 'a number of seconds' });
}

/** Reads a number of lines, of requests or the like. */
export function parseCount(text: string): number {
  return wholeNumber(text, { min: 0, max: Number.MAX_SAFE_INTEGER, what: 'a whole number' });
}

/** Reads --components. */
export function parseComponents(text: string): ReadonlySet<ComponentName> {
  const known: ReadonlyMap<string, ComponentName> = new Map(COMPONENTS.map((name) => [name, name]));
  return new Set(
    text.split(',').map((name) => {
      const component = known.get(name.trim());
      if (component === undefined) throw new Error(`"${name}" is none of ${COMPONENTS.join(', ')}`);
      return component;
    }),
  );
}

function wholeNumber(text: string, { min, max, what }: { readonly min: number; readonly max: number; readonly what: string }): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new Error(`not ${what} from ${String(min)} ${max === Number.MAX_SAFE_INTEGER ? 'on' : `to ${String(max)}`}`);
}
