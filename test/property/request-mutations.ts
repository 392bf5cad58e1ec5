/** Mutates requests: paths, queries, selectors, continue tokens, headers, bodies in JSON, YAML and protobuf, patches. */
import type { ServerRequest } from '#apiserver';
import { stringify } from 'yaml';
import { isJsonObject, type Json } from '#machinery';
import { type BinarySeed, recordedBinaries, recordedRequests, type Seed } from './request-corpus.ts';
import type { SeededRandom } from './seeded-random.ts';
import { ACCEPTS, HEADERS, METHODS, NAMES, PATCH_DIRECTIVES, QUERIES, SCALARS, SEGMENTS, SELECTOR_PARTS, TYPES, VALUES } from './request-scraps.ts';

/** A request as it is sent. */
export type Sent = Omit<ServerRequest, 'signal' | 'user'>;

/** Continue tokens that are remembered to be mutated. */
const TOKENS_MAX = 50;

/** Makes one request after another. */
export class RequestMutator {
  readonly #random: SeededRandom;
  readonly #seeds: readonly Seed[] = recordedRequests();
  readonly #binaries: readonly BinarySeed[] = recordedBinaries();
  readonly #tokens: string[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Takes the continue token of an answer, if there is one. */
  learn(answer: string): void {
    const token = /"continue":"([^"]+)"/.exec(answer)?.[1];
    if (token === undefined) return;
    this.#tokens.push(token);
    if (this.#tokens.length > TOKENS_MAX) this.#tokens.shift();
  }

  /** The next request. */
  next(): Sent {
    const random = this.#random;
    if (random.chance(0.05)) return this.#binary();
    const seed = random.pick(this.#seeds);
    if (random.chance(0.06)) return this.#patch(seed);
    if (random.chance(0.06)) return this.#list(seed);
    const method = random.chance(0.05) ? random.pick(METHODS) : seed.method;
    const body = seed.body === undefined && random.chance(0.9) ? '' : this.#body(seed);
    const headers = mutatedHeaders(seed, random);
    const yaml = body !== '' && random.chance(0.08);
    if (yaml && headers['content-type'] !== 'application/apply-patch+yaml') headers['content-type'] = 'application/yaml';
    return { method, path: mutatedPath(seed.path, random), headers, body: encoder.encode(yaml ? yamlText(body, random) : body) };
  }

  #body(seed: Seed): string {
    const random = this.#random;
    return bodyText(random.chance(0.7) ? mutatedJson(seed.body ?? null, random) : random.pick(this.#seeds).body, random);
  }

  #binary(): Sent {
    const random = this.#random;
    const { path, bytes } = random.pick(this.#binaries);
    const accept = random.chance(0.5) ? 'application/vnd.kubernetes.protobuf, application/json' : 'application/json';
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf', accept };
    return { method: 'POST', path: random.chance(0.1) ? mutatedPath(path, random) : path, headers, body: mutatedBytes(bytes, random) };
  }

  /** Of whatever the path names. */
  #patch(seed: Seed): Sent {
    const random = this.#random;
    const type = random.pick(TYPES.filter((each) => each.includes('patch')));
    const body = type === 'application/json-patch+json' ? jsonPatch(random) : withDirectives(mutatedJson(seed.body ?? {}, random), random);
    const path = `${mutatedPath(seed.path, random)}${seed.path.includes('?') ? '&' : '?'}fieldManager=${random.pick(['m', 'n'])}&force=${random.pick(['true', 'false'])}`;
    return { method: 'PATCH', path, headers: { 'content-type': type }, body: encoder.encode(bodyText(body, random)) };
  }

  /** With selectors, and tokens of earlier lists. */
  #list(seed: Seed): Sent {
    const random = this.#random;
    const query = new URLSearchParams();
    if (random.chance(0.5)) query.set('limit', random.pick(['1', '2', '500']));
    if (random.chance(0.5)) query.set('labelSelector', selector(random));
    if (random.chance(0.3)) query.set('fieldSelector', selector(random));
    if (random.chance(0.1)) query.set('watch', '1');
    const token = this.#tokens.length === 0 ? '' : random.pick(this.#tokens);
    if (random.chance(0.5)) query.set('continue', random.chance(0.3) ? token : mutatedToken(token, random));
    const collection = seed.path.split('?')[0] ?? '';
    const path = seed.method === 'GET' || seed.method === 'POST' ? collection : collection.slice(0, collection.lastIndexOf('/'));
    return {
      method: random.chance(0.95) ? 'GET' : 'DELETE',
      path: `${path}?${query.toString()}`,
      headers: { accept: random.pick(ACCEPTS) },
      body: new Uint8Array(),
    };
  }
}

const encoder = new TextEncoder();

function selector(random: SeededRandom): string {
  return Array.from({ length: 1 + random.below(6) }, () => random.pick(SELECTOR_PARTS)).join('');
}

/** Changed as it is, or in what it says. */
function mutatedToken(token: string, random: SeededRandom): string {
  if (random.chance(0.5)) return mutatedText(token, random);
  const inside: Json = {
    v: random.pick(['meta.k8s.io/v1', 'v2', 1]),
    rv: random.pick([...SCALARS, 5]),
    start: random.pick([...SCALARS, 'default/a', '../x', '/']),
  };
  return btoa(String.fromCharCode(...encoder.encode(textOf(inside)))).replaceAll('=', '');
}

function mutatedText(content: string, random: SeededRandom): string {
  const at = random.below(content.length + 1);
  return content.slice(0, at) + String.fromCharCode(random.below(0x180)) + content.slice(at + random.below(3));
}

function mutatedBytes(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const copy = Uint8Array.from(bytes);
  while (random.chance(0.7)) copy[random.below(copy.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
  return random.chance(0.1) ? copy.subarray(0, random.below(copy.length)) : copy;
}

function jsonPatch(random: SeededRandom): Json {
  const pointer = (): string => Array.from({ length: 1 + random.below(4) }, () => `/${random.pick([...NAMES, '0', '-', '99', '~0', '~1', '~2'])}`).join('');
  const operation = (): Json => ({
    op: random.pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'spoil']),
    path: pointer(),
    ...(random.chance(0.5) ? { from: pointer() } : {}),
    ...(random.chance(0.8) ? { value: random.pick(SCALARS) } : {}),
  });
  return Array.from({ length: 1 + random.below(4) }, operation);
}

/** With directives of strategic merge patches somewhere. */
function withDirectives(value: Json, random: SeededRandom): Json {
  if (Array.isArray(value)) return [...value.map((item: Json) => withDirectives(item, random)), ...(random.chance(0.1) ? [random.pick(PATCH_DIRECTIVES)] : [])];
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(([name, member]): [string, Json] => [name, withDirectives(member ?? null, random)]);
  return { ...Object.fromEntries(members), ...(random.chance(0.1) ? random.pick(PATCH_DIRECTIVES) : {}) };
}

/** The body as a block of YAML, sometimes with what JSON has not. */
function yamlText(body: string, random: SeededRandom): string {
  let yaml = body;
  try {
    yaml = stringify(JSON.parse(body), { version: '1.1' });
  } catch {
    // It is no JSON any more: as it is.
  }
  if (random.chance(0.3)) yaml = mutatedText(yaml, random);
  if (random.chance(0.1)) yaml = `${random.pick(['%YAML 1.1', '&a', '*a', '!!binary', '---', '- - -', '? ', '<<: *x', '\t', '{'])}\n${yaml}`;
  return yaml;
}

function textOf(value: Json | undefined): string {
  return JSON.stringify(value ?? null, (_key, member: unknown) => (typeof member === 'bigint' ? Number(member) : member));
}

function mutatedPath(path: string, random: SeededRandom): string {
  const [route = '', query = ''] = path.split('?');
  const segments = route.split('/');
  if (random.chance(0.15)) segments.splice(random.below(segments.length + 1), random.below(2), random.pick(SEGMENTS));
  if (random.chance(0.05)) segments.splice(random.below(segments.length), 1);
  const parameters = query === '' ? [] : query.split('&');
  while (random.chance(0.25))
    parameters.push(`${random.pick(QUERIES)}=${random.chance(0.5) ? encodeURIComponent(random.pick(VALUES)) : random.pick(VALUES).replaceAll('\u0000', '')}`);
  return `${segments.join('/')}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`;
}

function mutatedHeaders(seed: Seed, random: SeededRandom): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/json', ...seed.headers };
  if (random.chance(0.15)) headers['content-type'] = random.pick(TYPES);
  if (random.chance(0.2)) headers['accept'] = random.pick(ACCEPTS);
  if (random.chance(0.05)) headers['accept-encoding'] = random.pick(['gzip', 'identity', 'br', 'gzip;q=0']);
  if (random.chance(0.03)) headers['authorization'] = random.pick(['Bearer', 'Bearer x', 'Basic eDp5', '']);
  if (random.chance(0.03)) headers['impersonate-user'] = random.pick(VALUES);
  if (random.chance(0.03)) headers[random.pick(HEADERS)] = random.pick(VALUES);
  return headers;
}

/** Usually the JSON; sometimes cut, with a letter changed, or no text at all. */
function bodyText(value: Json | undefined, random: SeededRandom): string {
  const whole = textOf(value);
  if (random.chance(0.03)) return whole.slice(0, random.below(whole.length + 1));
  if (random.chance(0.03)) return mutatedText(whole, random);
  return random.chance(0.01) ? '['.repeat(5_000) : whole;
}

function mutatedJson(value: Json, random: SeededRandom): Json {
  if (random.chance(0.06)) return random.pick(SCALARS);
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => (random.chance(0.5) ? mutatedJson(item, random) : item));
    if (items.length > 0 && random.chance(0.1)) items.push(random.pick(items));
    if (items.length > 0 && random.chance(0.03)) return Array.from({ length: 200 }, () => items[0] ?? null);
    return items;
  }
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([name, member]): [string, Json] => [
    name,
    random.chance(0.5) ? mutatedJson(member ?? null, random) : (member ?? null),
  ]);
  if (entries.length > 0 && random.chance(0.1)) entries.splice(random.below(entries.length), 1);
  if (random.chance(0.1)) entries.push([random.pick(NAMES), random.pick(SCALARS)]);
  return Object.fromEntries(entries);
}
