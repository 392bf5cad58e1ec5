/** Plays recorded HTTP exchanges against an API server in this process and tells where its answers differ. */
import { randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { featureGates, servedVersions } from '#api';
import { type ApiServer, COMPACT_PATH, createApiServer, type ServerResponse } from '#apiserver';
import { type Clock, silentLogger } from '#base';
import { checkSelector } from '#cel';
import { isJsonObject, type Json, type JsonObject } from '#machinery';
import { FileTokenKeys } from '#platform';
import { MemoryStore } from '#storage';
import { Normaliser } from './http-normaliser.ts';

/** What a recorded server answered. */
export interface Expectation {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Json;
  readonly events?: readonly Json[];
}

/** One recorded request; WATCH, WAIT and COMPACT are methods of the recording. */
export interface Step {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: Json;
  readonly capture?: Readonly<Record<string, string>>;
  readonly keep?: 'status' | 'shape';
  /** Keeps only these items of lists, in this order: those of the list `at` whose member `key` is one of `values`. */
  readonly pick?: readonly { readonly at: string; readonly key: string; readonly values: readonly string[] }[];
  readonly deviation?: string;
  readonly during?: readonly Step[];
  readonly untilClose?: boolean;
  readonly expect?: Expectation;
}

/** A recording: its namespaces are created first. */
export interface Scenario {
  readonly profile: keyof typeof PROFILES;
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly omit?: readonly string[];
  readonly steps: readonly Step[];
}

/** How a recorded server was started. */
export interface Profile {
  /** Feature gates that are not at their default. */
  readonly gates: Readonly<Record<string, boolean>>;
  readonly runtimeConfig: Readonly<Record<string, boolean>>;
}

const ON = [
  'DRADeviceTaintRules',
  'DRAListTypeAttributes',
  'DRANodeAllocatableResources',
  'DRAResourcePoolStatus',
  'DRAWorkloadResourceClaims',
  'GenericWorkload',
  'GangScheduling',
];
const OFF = [
  'DRAResourceClaimDeviceStatus',
  'DRAPartitionableDevices',
  'DRADeviceTaints',
  'DRADeviceTaintRules',
  'DRAExtendedResource',
  'DRAConsumableCapacity',
  'DRADeviceBindingConditions',
  'DRAResourceClaimGranularStatusAuthorization',
  'DRAListTypeAttributes',
  'DRANodeAllocatableResources',
  'DRAResourcePoolStatus',
  'DRAWorkloadResourceClaims',
  'ResourceHealthStatus',
  'ResourceHealthStatusMessage',
];
const EVERYTHING = { 'api/all': true };

function all(gates: readonly string[], value: boolean): Readonly<Record<string, boolean>> {
  return Object.fromEntries(gates.map((gate) => [gate, value]));
}

/** The profiles of the recordings by name; all emulate 1.36. */
export const PROFILES = {
  full: { gates: all(ON, true), runtimeConfig: EVERYTHING },
  versions: { gates: {}, runtimeConfig: all(['resource.k8s.io/v1beta2', 'resource.k8s.io/v1beta1', 'resource.k8s.io/v1alpha3'], true) },
  default: { gates: {}, runtimeConfig: {} },
  off: { gates: all(OFF, false), runtimeConfig: EVERYTHING },
} as const satisfies Readonly<Record<string, Profile>>;
/** Signs the tokens of all servers here; gone with the process. */
const KEYS_DIRECTORY = mkdtempSync(join(tmpdir(), 'dray-keys-'));
process.once('exit', () => rmSync(KEYS_DIRECTORY, { recursive: true, force: true }));
const TOKEN_KEYS = new FileTokenKeys(KEYS_DIRECTORY);
const ADMIN = { name: 'admin', uid: 'admin', groups: ['system:masters'] };
/** The administrator's token in the recordings that show it. */
const ADMIN_TOKEN = 'secret';
/** Turns of the event loop after which everything has been delivered that was written before. */
const SETTLING_TURNS = 50;

const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Names of the steps whose answers differ from the recording; deviations that the recording grants are not among them. */
export async function differingSteps(scenario: Scenario): Promise<string[]> {
  const player = new Player(scenario);
  try {
    return await player.play();
  } finally {
    player.close();
  }
}

class Player {
  readonly #scenario: Scenario;
  readonly #server: ApiServer;
  readonly #normaliser: Normaliser;
  readonly #variables = new Map<string, string>();
  readonly #differing: string[] = [];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const profile: Profile = PROFILES[scenario.profile];
    this.#normaliser = new Normaliser(scenario.omit ?? []);
    this.#server = createApiServer({
      store: new MemoryStore(),
      clock,
      random: { below: (bound) => randomInt(bound), uuid: () => randomUUID() },
      logger: silentLogger,
      gates: featureGates('1.36', profile.gates),
      served: servedVersions('1.36', profile.runtimeConfig),
      emulatedVersion: '1.36',
      celCheck: checkSelector,
      admission: { disabled: ['ServiceAccount'] },
      authenticateToken: (token) => (token === ADMIN_TOKEN ? ADMIN : undefined),
      serviceAccounts: { issuer: 'https://dray.test', keys: TOKEN_KEYS },
    });
  }

  close(): void {
    this.#server.close();
  }

  async play(): Promise<string[]> {
    for (const [name, labels] of Object.entries(this.#scenario.namespaces ?? {})) {
      await this.#exchange({ name, method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name, labels } } });
    }
    for (const step of this.#scenario.steps) await this.#step(step);
    return this.#differing;
  }

  async #step(step: Step): Promise<void> {
    if (step.method === 'WAIT') return settled();
    if (step.method === 'COMPACT') return void (await this.#exchange({ name: step.name, method: 'POST', path: COMPACT_PATH }));
    const body = isJsonObject(step.body) ? step.body : {};
    this.#normaliser.expectNames(isJsonObject(body['metadata']) ? body['metadata']['generateName'] : undefined);
    const seen = step.method === 'WATCH' ? await this.#watch(step) : await this.#request(step);
    if (step.deviation === undefined && !isDeepStrictEqual(comparable(step.expect, step), comparable(seen, step))) this.#differing.push(step.name);
  }

  async #request(step: Step): Promise<Expectation> {
    const response = await this.#exchange(step);
    return this.#answer(step, response, await bodyOf(response));
  }

  #answer(step: Step, response: ServerResponse, body: Json): Expectation {
    for (const [variable, path] of Object.entries(step.capture ?? {})) this.#variables.set(variable, String(lookUp(body, path) ?? ''));
    const seen = { status: response.status, ...headersOf(response, this.#normaliser) };
    if (step.keep === 'status' && response.status < 400) return seen;
    return { ...seen, body: typeof body === 'string' ? this.#normaliser.text(body.trim()) : this.#normaliser.body(picked(body, step)) };
  }

  async #watch(step: Step): Promise<Expectation> {
    const gone = new AbortController();
    const response = await this.#exchange(step, gone.signal);
    if (response.body instanceof Uint8Array) return this.#answer(step, response, await bodyOf(response));
    let text = '';
    const reading = (async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) text += new TextDecoder().decode(chunk);
    })(response.body);
    await settled();
    for (const inner of step.during ?? []) await this.#step(inner);
    await settled();
    if (step.untilClose !== true) gone.abort();
    await reading;
    const events = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Json);
    return {
      status: response.status,
      ...headersOf(response, this.#normaliser),
      events: events.filter(isTimely).map((event) => this.#normaliser.body(event)),
    };
  }

  #exchange(step: Step, signal = new AbortController().signal): Promise<ServerResponse> {
    const body = step.body === undefined ? undefined : this.#filled(typeof step.body === 'string' ? step.body : JSON.stringify(step.body));
    const given = JSON.parse(this.#filled(JSON.stringify(step.headers ?? {}))) as Readonly<Record<string, string | null>>;
    const all = { accept: 'application/json', 'user-agent': 'replay', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...given };
    const headers = Object.fromEntries(Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [[name.toLowerCase(), value]])));
    const bytes = new TextEncoder().encode(body ?? '');
    const user = 'authorization' in headers || given['authorization'] === null ? {} : { user: ADMIN };
    return this.#server.handle({
      method: step.method === 'WATCH' ? 'GET' : step.method,
      path: this.#filled(step.path),
      headers,
      body: bytes,
      signal,
      ...user,
    });
  }

  /** With captured values in place of `${name}`, and `${repeat:x:9}` as nine times x. */
  #filled(text: string): string {
    return text
      .replace(/\$\{repeat:(.):(\d+)\}/g, (_all, unit: string, count: string) => unit.repeat(Number(count)))
      .replace(/\$\{(\w+)\}/g, (_all, variable: string) => this.#variables.get(variable) ?? '');
  }
}

async function settled(): Promise<void> {
  for (let count = 0; count < SETTLING_TURNS; count++) await turn();
}

async function bodyOf({ body }: ServerResponse): Promise<Json> {
  const chunks: Uint8Array[] = [];
  if (body instanceof Uint8Array) chunks.push(body);
  else for await (const chunk of body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function headersOf({ headers }: ServerResponse, normaliser: Normaliser): Pick<Expectation, 'headers'> {
  const type = (headers['content-type'] ?? '').replace(/; ?/g, ';');
  const { warning } = headers;
  const kept = { ...(type === 'application/json' ? {} : { 'content-type': type }), ...(warning === undefined ? {} : { warning: normaliser.text(warning) }) };
  return Object.keys(kept).length === 0 ? {} : { headers: kept };
}

/** Bookmarks come whenever a server likes, except the one that ends the initial events. */
function isTimely(event: Json): boolean {
  if (!isJsonObject(event) || event['type'] !== 'BOOKMARK') return true;
  return lookUp(event, 'object.metadata.annotations')?.['k8s.io/initial-events-end' as keyof Json] === 'true';
}

function picked(body: Json, { pick = [] }: Step): Json {
  return pick.reduce<Json>((rest, { at, key, values }) => {
    const items = lookUp(rest, at);
    if (!isJsonObject(rest) || !Array.isArray(items)) return rest;
    const chosen = values.flatMap((value) => items.filter((item: Json) => lookUp(item, key) === value));
    // The recordings pick from lists at the top only.
    return { ...rest, [at]: chosen };
  }, body);
}

function lookUp(value: Json | undefined, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>((node, key) => {
    if (Array.isArray(node)) return node[Number(key)];
    return isJsonObject(node) ? node[key] : undefined;
  }, value);
}

/** What of an answer counts: of failures all but the wording. */
function comparable(answer: Expectation | undefined, { keep, expect }: Step): unknown {
  if (answer === undefined) return undefined;
  const body = answer.body === undefined || expect?.body === undefined ? undefined : withoutWording(answer.body);
  const events = answer.events?.map((event) => (isJsonObject(event) ? { ...event, object: withoutWording(event['object'] ?? null) } : event));
  const whole = { status: answer.status, headers: answer.headers, body: keep === 'shape' && body !== undefined ? shape(body) : body, events };
  // Without members that are undefined.
  return JSON.parse(JSON.stringify(whole));
}

function withoutWording(value: Json): Json {
  if (!isJsonObject(value) || value['kind'] !== 'Status' || value['status'] !== 'Failure') return value;
  const { message: _message, details, ...rest } = value;
  if (!isJsonObject(details)) return rest;
  const causes = Array.isArray(details['causes']) ? details['causes'] : undefined;
  const wordless = causes?.map((cause: Json) => (isJsonObject(cause) ? JSON.stringify([cause['reason'] ?? '', cause['field'] ?? '']) : '')).sort();
  return { ...rest, details: { ...details, ...(wordless === undefined ? {} : { causes: wordless }) } };
}

function shape(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => shape(item));
  if (!isJsonObject(value))
    return typeof value === 'string' && /^<(string|number|boolean|null)>$/.test(value) ? value : `<${value === null ? 'null' : typeof value}>`;
  const object: JsonObject = value;
  return Object.fromEntries(Object.keys(object).map((name) => [name, shape(object[name] ?? null)]));
}
