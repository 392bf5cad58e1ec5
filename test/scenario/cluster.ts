/** A control plane in this process whose time passes only when told to: API server, scheduler and controllers on one manual clock. */
import { setImmediate as turn } from 'node:timers/promises';
import { featureGates, servedVersions } from '#api';
import { type ApiServer, createApiServer, type UserInfo } from '#apiserver';
import { Metrics, type Random, silentLogger } from '#base';
import { checkSelector } from '#cel';
import { readText, RestClient, type Transport, type TransportRequest } from '#client';
import { runControllers } from '#controllers';
import { memoryTransport } from '#platform';
import { runScheduler } from '#scheduler';
import { MemoryStore } from '#storage';
import { ManualClock } from '../../src/base/manual-clock.test-data.ts';

/** The clusters that were recorded: `all` has the alpha and beta features that scenarios of that variant are about. */
export type Variant = 'default' | 'all';

const MORE_GATES = [
  'DRADeviceTaintRules',
  'DRAListTypeAttributes',
  'DRANodeAllocatableResources',
  'DRAResourcePoolStatus',
  'DRAWorkloadResourceClaims',
  'GenericWorkload',
  'GangScheduling',
];
const BETA_APIS = { 'resource.k8s.io/v1beta1': true, 'resource.k8s.io/v1beta2': true };
const ALPHA_APIS = { 'resource.k8s.io/v1alpha3': true, 'scheduling.k8s.io/v1alpha2': true };
/** The recorded scheduler waited so long for devices. */
const BINDING_TIMEOUT_MS = 10_000;
const ADMIN: UserInfo = { name: 'admin', uid: 'admin', groups: ['system:masters'] };
/** Turns of the event loop without a request after which nothing is going on any more. */
const QUIET_TURNS = 12;
/** Time passes in steps like these, so that what one timer causes is done before the next fires. */
const STEP_MS = 100;

/** A whole control plane; `close` it after use. */
export class Cluster {
  readonly #clock = new ManualClock();
  readonly #server: ApiServer;
  readonly #stop = new AbortController();
  readonly #running: readonly Promise<void>[];
  readonly #admin: Transport;
  #requests = 0;
  #open = 0;

  /** With `rootCaPem` pods run as accounts; the recorded clusters had none. */
  constructor(variant: Variant, rootCaPem?: string) {
    const overrides = variant === 'all' ? Object.fromEntries(MORE_GATES.map((gate) => [gate, true])) : {};
    const gates = featureGates('1.36', overrides);
    const random = dice();
    const clock = this.#clock;
    const logger = silentLogger;
    this.#server = createApiServer({
      store: new MemoryStore(),
      clock,
      random,
      logger,
      gates,
      served: servedVersions('1.36', variant === 'all' ? { ...BETA_APIS, ...ALPHA_APIS } : BETA_APIS),
      emulatedVersion: '1.36',
      celCheck: checkSelector,
      admission: { disabled: rootCaPem === undefined ? ['ServiceAccount'] : [] },
    });
    this.#admin = this.#counted(memoryTransport(this.#server, ADMIN));
    const world = { clock, random, logger, gates, metrics: new Metrics(), rootCaPem, signal: this.#stop.signal };
    const client = (name: string, ...groups: readonly string[]): RestClient =>
      new RestClient(this.#counted(memoryTransport(this.#server, { name, groups })), { userAgent: name });
    const clientOf = (account: string): RestClient => client(`system:serviceaccount:kube-system:${account}`, 'system:serviceaccounts');
    this.#running = [
      runScheduler({ ...world, client: client('system:kube-scheduler'), bindingTimeoutMs: BINDING_TIMEOUT_MS }),
      runControllers({ ...world, client: client('system:kube-controller-manager'), clientOf }),
    ];
  }

  /** Now, in milliseconds. */
  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Lets time pass, and everything that is due in it happen. */
  async advance(ms: number): Promise<void> {
    await this.#quiet();
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.#clock.advance(Math.min(STEP_MS, left));
      await this.#quiet();
    }
  }

  /** One request as the administrator: status and parsed answer. */
  async request(request: TransportRequest): Promise<{ readonly status: number; readonly body: unknown }> {
    const { status, body } = await this.#admin(request, this.#stop.signal);
    const text = await readText(body);
    return { status, body: text.startsWith('{') ? JSON.parse(text) : text };
  }

  /** Ends all components. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the scenario is over'));
    this.#server.close();
    // Whoever waits for a retry is woken.
    for (let i = 0; i < 3; i++) await this.advance(STEP_MS);
    await Promise.all(this.#running);
  }

  #counted(transport: Transport): Transport {
    return async (request, signal) => {
      this.#requests++;
      this.#open++;
      try {
        return await transport(request, signal);
      } finally {
        this.#open--;
      }
    };
  }

  /** Returns when no request is open or has been made for a while; timers that are due now fire. */
  async #quiet(): Promise<void> {
    for (let quiet = 0, seen = this.#requests; quiet < QUIET_TURNS; quiet++) {
      this.#clock.advance(0);
      await turn();
      if (this.#open > 0 || this.#requests !== seen) quiet = 0;
      seen = this.#requests;
    }
  }
}

/** The same dice for each scenario: a small linear congruential generator. */
function dice(): Random {
  let state = 1n;
  const next = (): number => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number(state >> 33n);
  };
  const hex = (): string => next().toString(16).padStart(8, '0').slice(-8);
  const uuid = (): string => {
    const [a, b, c, d] = [hex(), hex(), hex(), hex()];
    return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-8${c.slice(1, 4)}-${c.slice(4)}${d}`;
  };
  return { below: (bound) => next() % bound, uuid };
}
