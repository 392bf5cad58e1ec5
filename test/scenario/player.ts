/** Plays a recorded scenario on a cluster in this process and tells where the cluster looks different from the recorded one. */
import { KINDS, servedVersions } from '#api';
import { type ApiObject, stringifyJson } from '#machinery';
import { Cluster, type Variant } from './cluster.ts';
import { contains, differences, isRecord } from './expectation.ts';
import { GeneratedNames } from './generated-names.ts';
import { type Objects, snapshotOf } from './snapshot.ts';

/** A scenario as recorded. */
export interface Scenario {
  readonly name: string;
  readonly variant: Variant;
  readonly steps: readonly Step[];
}

/** One step; which members are set tells what it does. */
interface Step {
  readonly create?: Manifest | readonly Manifest[];
  readonly apply?: Manifest | readonly Manifest[];
  readonly patch?: string;
  readonly delete?: string;
  readonly until?: string;
  readonly settle?: number;
  readonly pause?: number;
  readonly snapshot?: string;
  /** Of `patch` and `delete`: the objects of a bare plural that contain it. */
  readonly where?: unknown;
  readonly subresource?: string;
  readonly type?: keyof typeof PATCH_TYPES;
  readonly body?: unknown;
  readonly grace?: number | 'default';
  readonly propagation?: string;
  readonly has?: unknown;
  readonly gone?: boolean;
  readonly count?: number;
  /** Seconds. */
  readonly timeout?: number;
  readonly kinds?: readonly string[];
  readonly expect?: Readonly<Record<string, unknown>>;
  readonly refused?: Readonly<Record<string, unknown>>;
}

type Manifest = ApiObject & { readonly apiVersion: string; readonly kind: string; readonly status?: unknown };

interface Target {
  readonly plural: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;
const DEFAULT_KINDS = ['pods', 'resourceclaims', 'events'];
/** Scenarios use the newest version of each kind that 1.36 has. */
const PREFERRED_VERSIONS = ['v1', 'v1beta2', 'v1alpha3', 'v1alpha2'];
const isIn136 = servedVersions('1.36', { 'api/all': true });
const POLL_MS = 100;
const UNTIL_SECONDS = 15;
const SETTLE_SECONDS = 30;
/** A slower control plane than the recorded one is given so long to come to the same state. */
const PATIENCE_MS = 6_000;

/** A step could not be carried out or did not come true. */
class StepError extends Error {}

/** The server refused a request. */
class Refusal extends Error {
  readonly code: number;
  readonly status: Readonly<Record<string, unknown>>;

  constructor(request: string, code: number, body: unknown) {
    const status = isRecord(body) ? body : { message: body };
    super(`${request}: ${String(code)} ${String(status['message'])}`);
    this.code = code;
    this.status = status;
  }
}

/** What was not as recorded: one text each, with the number of the step; nothing when all was. */
export async function play(scenario: Scenario): Promise<readonly string[]> {
  const cluster = new Cluster(scenario.variant);
  const player = new Player(cluster);
  const found: string[] = [];
  try {
    await cluster.advance(POLL_MS);
    for (const [index, step] of scenario.steps.entries()) found.push(...(await player.play(step)).map((text) => `step ${String(index + 1)} ${text}`));
  } catch (error) {
    if (!(error instanceof StepError || error instanceof Refusal)) throw error;
    found.push(error.message);
  } finally {
    await cluster.close();
  }
  return found;
}

class Player {
  readonly #cluster: Cluster;
  readonly #names = new GeneratedNames();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async play(step: Step): Promise<readonly string[]> {
    if (step.snapshot !== undefined) return this.#compare(step);
    if (step.refused === undefined) {
      await this.#do(step);
      return [];
    }
    try {
      await this.#do(step);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const seen: Record<string, unknown> = { code: error.code, reason: error.status['reason'], message: error.status['message'] };
      return differences(step.refused, Object.fromEntries(Object.keys(step.refused).map((name) => [name, seen[name]])), 'refusal');
    }
    return ['was not refused'];
  }

  async #do(step: Step): Promise<void> {
    if (step.create !== undefined) for (const manifest of manifests(step.create)) await this.#create(manifest);
    else if (step.apply !== undefined) for (const manifest of manifests(step.apply)) await this.#apply(manifest);
    else if (step.patch !== undefined) for (const target of await this.#targets(step.patch, step.where)) await this.#patch(target, step);
    else if (step.delete !== undefined) for (const target of await this.#targets(step.delete, step.where)) await this.#delete(target, step);
    else if (step.until !== undefined) await this.#until(step.until, step);
    else if (step.settle !== undefined) await this.#settle(step.settle);
    else await this.#cluster.advance(step.pause ?? 0);
  }

  /** A status is written after the object, but that of a node counts at once. */
  async #create(manifest: Manifest): Promise<void> {
    const { status, ...rest } = manifest;
    const isNode = manifest.kind === 'Node';
    const { plural, namespace } = targetOf(manifest);
    const created = (await this.#send('POST', pathOf({ plural, namespace }, manifest.apiVersion), isNode ? manifest : rest)) as ApiObject;
    this.#names.observe(plural, [created]);
    if (status === undefined || isNode) return;
    const path = `${pathOf({ plural, namespace, name: created.metadata.name }, manifest.apiVersion)}/status`;
    await this.#send('PATCH', path, { status }, PATCH_TYPES.merge);
  }

  async #apply(manifest: Manifest): Promise<void> {
    const path = `${pathOf(targetOf(manifest), manifest.apiVersion)}?fieldManager=scenario&force=true`;
    await this.#send('PATCH', path, manifest, PATCH_TYPES.apply);
  }

  async #patch(target: Target, { subresource, body, type = 'merge' }: Step): Promise<void> {
    await this.#send('PATCH', pathOf(target) + (subresource === undefined ? '' : `/${subresource}`), body, PATCH_TYPES[type]);
  }

  async #delete(target: Target, { grace = 0, propagation = 'Background' }: Step): Promise<void> {
    const options = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: propagation };
    await this.#send('DELETE', pathOf(target), grace === 'default' ? options : { ...options, gracePeriodSeconds: grace });
  }

  async #targets(reference: string, where: unknown = {}): Promise<readonly Target[]> {
    const target = parseReference(reference);
    if (target.name !== undefined) return [target];
    const objects = (await this.#list([target.plural]))[target.plural] ?? [];
    return objects.filter((object) => contains(object, where)).map(({ metadata }) => ({ ...target, namespace: metadata.namespace, name: metadata.name }));
  }

  async #until(reference: string, { has = {}, gone = false, count, timeout = UNTIL_SECONDS }: Step): Promise<void> {
    const target = parseReference(reference);
    let last: unknown;
    const holds = async (): Promise<boolean> => {
      if (target.name === undefined) {
        const fitting = ((await this.#list([target.plural]))[target.plural] ?? []).filter((object) => contains(object, has)).length;
        last = `${String(fitting)} of them do`;
        return count === undefined ? fitting > 0 : fitting === count;
      }
      const object = await this.#get(target);
      if (object !== undefined) this.#names.observe(target.plural, [object]);
      last = JSON.stringify(object);
      return gone ? object === undefined : object !== undefined && contains(object, has);
    };
    await this.#wait(holds, timeout, () => `${reference} did not become ${gone ? 'gone' : JSON.stringify(has)}: ${String(last)}`);
  }

  /** Until nothing that a snapshot can show has changed for so long. */
  async #settle(quietMs: number): Promise<void> {
    let before = '';
    let sinceMs = this.#cluster.nowMs();
    const isQuiet = async (): Promise<boolean> => {
      const now = JSON.stringify(snapshotOf(await this.#list(DEFAULT_KINDS), DEFAULT_KINDS, this.#names.pods));
      if (now !== before) sinceMs = this.#cluster.nowMs();
      before = now;
      return this.#cluster.nowMs() - sinceMs >= quietMs;
    };
    await this.#wait(isQuiet, SETTLE_SECONDS, () => `the cluster did not settle for ${String(quietMs)} ms`);
  }

  async #wait(holds: () => Promise<boolean>, seconds: number, complaint: () => string): Promise<void> {
    const endMs = this.#cluster.nowMs() + seconds * 1000;
    while (!(await holds())) {
      if (this.#cluster.nowMs() >= endMs) throw new StepError(`after ${String(seconds)} s ${complaint()}`);
      await this.#cluster.advance(POLL_MS);
    }
  }

  async #compare({ kinds = DEFAULT_KINDS, expect = {} }: Step): Promise<readonly string[]> {
    const endMs = this.#cluster.nowMs() + PATIENCE_MS;
    for (;;) {
      const objects = await this.#list([...new Set([...DEFAULT_KINDS, 'replicasets', ...kinds])]);
      const found = this.#names.differences(expect, snapshotOf(objects, kinds, this.#names.pods));
      if (found.length === 0 || this.#cluster.nowMs() >= endMs) return found;
      await this.#cluster.advance(POLL_MS * 5);
    }
  }

  /** All objects of the kinds; a kind that is not served has none. */
  async #list(plurals: readonly string[]): Promise<Objects> {
    const objects: Record<string, readonly ApiObject[]> = {};
    for (const plural of plurals) {
      const list = (await this.#get({ plural })) as unknown as { readonly items?: readonly ApiObject[] } | undefined;
      objects[plural] = list?.items ?? [];
      this.#names.observe(plural, objects[plural]);
    }
    return objects;
  }

  async #get(target: Target): Promise<ApiObject | undefined> {
    try {
      return (await this.#send('GET', pathOf(target))) as ApiObject;
    } catch (error) {
      if (error instanceof Refusal && error.code === 404) return undefined;
      throw error;
    }
  }

  async #send(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, content?: unknown, contentType = 'application/json'): Promise<unknown> {
    const request =
      content === undefined ? { method, path, headers: {} } : { method, path, headers: { 'content-type': contentType }, body: stringifyJson(content) };
    const { status, body } = await this.#cluster.request(request);
    if (status >= 300) throw new Refusal(`${method} ${path}`, status, body);
    return body;
  }
}

function manifests(given: Manifest | readonly Manifest[]): readonly Manifest[] {
  return Array.isArray(given) ? (given as readonly Manifest[]) : [given as Manifest];
}

/** `plural`, `plural/name` or `plural/namespace/name`. */
function parseReference(reference: string): Target {
  const [plural = '', ...names] = reference.split('/');
  const name = names.at(-1);
  return { plural, name, namespace: names.length === 2 ? names[0] : name === undefined || !kindOf(plural).namespaced ? undefined : 'default' };
}

function targetOf({ kind, metadata }: Manifest): Target {
  const found = KINDS.find((candidate) => candidate.kind === kind);
  if (found === undefined) throw new StepError(`there is no kind ${kind}`);
  return { plural: found.plural, name: metadata.name, namespace: found.namespaced ? (metadata.namespace ?? 'default') : undefined };
}

function kindOf(plural: string): (typeof KINDS)[number] {
  const kind = KINDS.find((candidate) => candidate.plural === plural);
  if (kind === undefined) throw new StepError(`there is no kind ${plural}`);
  return kind;
}

function pathOf({ plural, namespace, name }: Target, apiVersion?: string): string {
  const { group, versions } = kindOf(plural);
  const version = PREFERRED_VERSIONS.find((candidate) => isIn136(group, candidate, plural) && versions.some((one) => one.version === candidate)) ?? '';
  const root = apiVersion ?? (group === '' ? version : `${group}/${version}`);
  return `/${root.includes('/') ? 'apis' : 'api'}/${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}${name === undefined ? '' : `/${name}`}`;
}
