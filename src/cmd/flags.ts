/** Reads flag values that are more than a word, with upstream's spelling. */
import { featureGates, servedVersions } from '#api';
import { readFileSync } from 'node:fs';
import type { UserInfo } from '#apiserver';
import { asError } from '#base';
import type { LogLevel } from '#platform';

/** The components that `--components` names. */
export const COMPONENTS = ['apiserver', 'scheduler', 'controller-manager', 'nodeagent', 'driver'] as const;
/** One of them. */
export type ComponentName = (typeof COMPONENTS)[number];

/** Flags that `up` and the single components share, as commander hands them over. */
export interface ClusterFlags {
  readonly dataDir: string;
  readonly bindAddress: string;
  readonly securePort?: number;
  readonly kubeconfig?: string;
  readonly featureGates?: string;
  readonly runtimeConfig?: string;
  readonly emulatedVersion?: string;
  readonly store: 'sqlite' | 'memory';
  readonly tokenAuthFile?: string;
  readonly verbose?: boolean;
}

/** The emulated minor without --emulated-version: the one whose behaviour was recorded. */
export const DEFAULT_EMULATED_VERSION = '1.36';
const EMULATED_VERSION = /^1\.(3[1-7])$/;

/** The emulated minor version; throws for one that dray does not know. */
export function emulatedVersionOf({ emulatedVersion = DEFAULT_EMULATED_VERSION }: ClusterFlags): string {
  if (!EMULATED_VERSION.test(emulatedVersion)) throw new Error(`--emulated-version ${emulatedVersion}: dray emulates 1.31 to 1.37`);
  return emulatedVersion;
}

/** Gates of `--feature-gates A=true,B=false`. */
export function gatesOf(flags: ClusterFlags): ReadonlyMap<string, boolean> {
  return featureGates(emulatedVersionOf(flags), booleans('--feature-gates', flags.featureGates));
}

/** What `--runtime-config` leaves served; `olderVersions` also serves the DRA versions that articles use, unless a flag speaks of versions. */
export function servedOf(flags: ClusterFlags, olderVersions: boolean): (group: string, version: string, plural: string) => boolean {
  const asked = booleans('--runtime-config', flags.runtimeConfig);
  const silent = flags.emulatedVersion === undefined && flags.runtimeConfig === undefined;
  const older = { 'resource.k8s.io/v1beta2': true, 'resource.k8s.io/v1beta1': true, 'resource.k8s.io/v1alpha3': true };
  return servedVersions(emulatedVersionOf(flags), olderVersions && silent ? older : asked, { oldShapes: olderVersions });
}

function booleans(flag: string, text: string | undefined): Record<string, boolean> {
  const values: Record<string, boolean> = {};
  for (const pair of (text ?? '').split(',').filter((each) => each.trim() !== '')) {
    const [name = '', value = 'true'] = pair.split('=').map((part) => part.trim());
    if (value !== 'true' && value !== 'false') throw new Error(`${flag} ${pair}: not true or false`);
    values[name] = value === 'true';
  }
  return values;
}

/** A TCP port. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`"${text}" is not a port`);
  return port;
}

/** A whole number of at least 1. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`"${text}" is not a whole number above 0`);
  return count;
}

/** The chosen components; throws on an unknown name. */
export function parseComponents(text: string): ReadonlySet<ComponentName> {
  const known: ReadonlyMap<string, ComponentName> = new Map(COMPONENTS.map((name) => [name, name]));
  return new Set(
    text.split(',').map((name) => {
      const component = known.get(name.trim());
      if (component === undefined) throw new Error(`--components: "${name}" is none of ${COMPONENTS.join(', ')}`);
      return component;
    }),
  );
}

/** What components log on standard error. */
export function logLevelOf({ verbose }: { readonly verbose?: boolean }): LogLevel {
  return verbose === true ? 'info' : 'error';
}

/** Users by token from upstream's CSV: token,user,uid,"group1,group2". */
export function tokensFromFile(path: string): (token: string) => UserInfo | undefined {
  const users = new Map<string, UserInfo>();
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`cannot read the token file ${path}: ${asError(error).message}`, { cause: error });
  }
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const [token, name, uid, groups] = [...line.matchAll(/"([^"]*)"|([^,]+)/g)].map((match) => (match[1] ?? match[2] ?? '').trim());
    if (token === undefined || name === undefined || uid === undefined) throw new Error(`${path}:${String(index + 1)}: a line is token,user,uid[,"groups"]`);
    users.set(token, { name, uid, groups: groups === undefined || groups === '' ? [] : groups.split(',') });
  });
  return (token) => users.get(token);
}
