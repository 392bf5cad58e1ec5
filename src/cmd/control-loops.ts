/** Starts scheduler and controllers with the settings of their flags. */
import { hostname } from 'node:os';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { asError } from '#base';
import { type ControllersOptions, runControllers } from '#controllers';
import { DEFAULT_LEADER_ELECTION, leaderElectionProblem, type LeaderElectionSettings, runAsLeader } from '#reconcile';
import { parseSchedulerConfiguration, runScheduler, type SchedulerConfiguration } from '#scheduler';
import type { LeaderElectionFlags } from './flags.ts';

/** What the loops run in. */
export type LoopWorld = Omit<ControllersOptions, 'signal'>;

/** How long to run, and whether to be elected first. */
export interface LoopTerms {
  readonly signal: AbortSignal;
  readonly election?: LeaderElectionFlags | undefined;
}

/** The scheduler's settings from a file of upstream's format; without a file its defaults. */
export function readSchedulerConfiguration(path: string | undefined): SchedulerConfiguration {
  if (path === undefined) return parseSchedulerConfiguration({ apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' });
  try {
    return parseSchedulerConfiguration(parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new Error(`the scheduler's configuration ${path}: ${asError(error).message}`, { cause: error });
  }
}

/** Runs the scheduler until the signal aborts; with `election` only while it leads. */
export async function runSchedulerLoop(world: LoopWorld, configuration: SchedulerConfiguration, { signal, election }: LoopTerms): Promise<void> {
  const { schedulerName, bindingTimeoutMs, dynamicResources, backoff, leaderElection } = configuration;
  const run = (until: AbortSignal): Promise<void> => runScheduler({ ...world, schedulerName, bindingTimeoutMs, dynamicResources, backoff, signal: until });
  const settings = election === undefined ? undefined : electionSettings('kube-scheduler', withFile(election, leaderElection));
  await runElected(world, settings, run, signal);
}

/** Runs the controllers until the signal aborts; with `election` only while they lead. */
export async function runControllerLoops(world: LoopWorld, { signal, election }: LoopTerms): Promise<void> {
  const settings = election === undefined ? undefined : electionSettings('kube-controller-manager', election);
  await runElected(world, settings, (until) => runControllers({ ...world, signal: until }), signal);
}

async function runElected(
  world: LoopWorld,
  settings: LeaderElectionSettings | undefined,
  run: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  if (settings === undefined) return run(signal);
  const problem = leaderElectionProblem(settings);
  if (problem !== undefined) throw new Error(`--leader-elect: ${problem}`);
  await runAsLeader({ ...world, settings }, run, signal);
}

/** Undefined when no leader is to be elected. */
function electionSettings(component: string, flags: LeaderElectionFlags): LeaderElectionSettings | undefined {
  if (!flags.leaderElect) return undefined;
  return {
    namespace: flags.leaderElectResourceNamespace ?? 'kube-system',
    name: flags.leaderElectResourceName ?? component,
    identity: `${hostname().toLowerCase()}_${crypto.randomUUID()}`,
    leaseDurationMs: flags.leaderElectLeaseDuration ?? DEFAULT_LEADER_ELECTION.leaseDurationMs,
    renewDeadlineMs: flags.leaderElectRenewDeadline ?? DEFAULT_LEADER_ELECTION.renewDeadlineMs,
    retryPeriodMs: flags.leaderElectRetryPeriod ?? DEFAULT_LEADER_ELECTION.retryPeriodMs,
  };
}

/** What a configuration file says counts, as upstream: flags are for those who have none. */
function withFile(flags: LeaderElectionFlags, file: SchedulerConfiguration['leaderElection']): LeaderElectionFlags {
  const { leaderElect, leaseDurationMs, renewDeadlineMs, retryPeriodMs, resourceName, resourceNamespace } = file;
  return {
    leaderElect: leaderElect ?? flags.leaderElect,
    ...defined('leaderElectLeaseDuration', leaseDurationMs ?? flags.leaderElectLeaseDuration),
    ...defined('leaderElectRenewDeadline', renewDeadlineMs ?? flags.leaderElectRenewDeadline),
    ...defined('leaderElectRetryPeriod', retryPeriodMs ?? flags.leaderElectRetryPeriod),
    ...defined('leaderElectResourceName', resourceName ?? flags.leaderElectResourceName),
    ...defined('leaderElectResourceNamespace', resourceNamespace ?? flags.leaderElectResourceNamespace),
  };
}

function defined<K extends keyof LeaderElectionFlags>(name: K, value: LeaderElectionFlags[K] | undefined): Partial<LeaderElectionFlags> {
  return value === undefined ? {} : { [name]: value };
}
