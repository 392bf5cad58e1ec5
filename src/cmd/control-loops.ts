/** Starts scheduler and controllers with the settings of their flags. */
import { hostname } from 'node:os';
import { readFile } from 'node:fs/promises';
import { asError } from '#base';
import { type ControllersOptions, runControllers } from '#controllers';
import { DEFAULT_LEADER_ELECTION, leaderElectionProblem, type LeaderElectionSettings, runAsLeader } from '#reconcile';
import { parseSchedulerConfiguration, runScheduler, type SchedulerConfiguration } from '#scheduler';
import type { ElectionChoice } from './api-flags.ts';

/** What the loops run in. */
export type LoopWorld = Omit<ControllersOptions, 'signal'>;

/** How long to run, and whether to be elected first. */
export interface LoopTerms {
  readonly signal: AbortSignal;
  readonly election?: ElectionChoice | undefined;
}

/** The scheduler's settings from a file of upstream's format; without a file its defaults. */
export async function readSchedulerConfiguration(path: string | undefined): Promise<SchedulerConfiguration> {
  if (path === undefined) return parseSchedulerConfiguration({ apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' });
  const { parse } = await import('yaml');
  try {
    return parseSchedulerConfiguration(parse(await readFile(path, 'utf8')));
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
function electionSettings(component: string, choice: ElectionChoice): LeaderElectionSettings | undefined {
  if (!choice.enabled) return undefined;
  return {
    namespace: choice.resourceNamespace ?? 'kube-system',
    name: choice.resourceName ?? component,
    identity: `${hostname().toLowerCase()}_${crypto.randomUUID()}`,
    leaseDurationMs: choice.leaseDurationMs ?? DEFAULT_LEADER_ELECTION.leaseDurationMs,
    renewDeadlineMs: choice.renewDeadlineMs ?? DEFAULT_LEADER_ELECTION.renewDeadlineMs,
    retryPeriodMs: choice.retryPeriodMs ?? DEFAULT_LEADER_ELECTION.retryPeriodMs,
  };
}

/** What a configuration file says counts, as upstream: flags are for those who have none. */
function withFile(choice: ElectionChoice, file: SchedulerConfiguration['leaderElection']): ElectionChoice {
  return {
    enabled: file.leaderElect ?? choice.enabled,
    leaseDurationMs: file.leaseDurationMs ?? choice.leaseDurationMs,
    renewDeadlineMs: file.renewDeadlineMs ?? choice.renewDeadlineMs,
    retryPeriodMs: file.retryPeriodMs ?? choice.retryPeriodMs,
    resourceName: file.resourceName ?? choice.resourceName,
    resourceNamespace: file.resourceNamespace ?? choice.resourceNamespace,
  };
}
