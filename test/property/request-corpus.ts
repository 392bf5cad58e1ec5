/** Requests to mutate: those recorded of kubectl and of Go clients, and objects in the protobuf encoding. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { KINDS } from '#api';
import { isJsonObject, type Json, parseApiVersion, parseJson } from '#machinery';

const VECTORS = join(import.meta.dirname, '../vectors');
const HTTP_VECTORS = join(VECTORS, 'http');

/** A request before it is mutated. */
export interface Seed {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json | undefined;
}

/** All recorded requests. */
export function recordedRequests(): Seed[] {
  const files = globSync('**/*.json.gz', { cwd: HTTP_VECTORS }).sort();
  return files.flatMap((file) => stepsOf(parseJson(gunzipSync(readFileSync(join(HTTP_VECTORS, file))).toString('utf8'))));
}

function stepsOf(value: Json | undefined): Seed[] {
  if (Array.isArray(value)) return value.flatMap((item: Json) => stepsOf(item));
  if (!isJsonObject(value)) return [];
  const { method, path, headers, body, during, steps } = value;
  const inner = [...stepsOf(during), ...stepsOf(steps)];
  if (typeof method !== 'string' || typeof path !== 'string') return inner;
  const own: Seed = { method: method === 'WATCH' ? 'GET' : method, path: path.replaceAll(/\$\{?\w+\}?/g, 'ns1'), headers: textHeaders(headers), body };
  return [own, ...inner];
}

function textHeaders(headers: Json | undefined): Record<string, string> {
  const entries = isJsonObject(headers) ? Object.entries(headers) : [];
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name.toLowerCase(), value]] : [])));
}

/** Creations with bodies in protobuf. */
export interface BinarySeed {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** One for each recorded object. */
export function recordedBinaries(): BinarySeed[] {
  const lines = gunzipSync(readFileSync(join(VECTORS, 'protobuf/bodies.jsonl.gz')))
    .toString('utf8')
    .trimEnd()
    .split('\n');
  return lines.flatMap((line) => {
    const { object, protobuf } = parseJson(line) as { object: { apiVersion: string; kind: string }; protobuf: string };
    const { group, version } = parseApiVersion(object.apiVersion);
    const kind = KINDS.find((known) => known.group === group && known.kind === object.kind);
    if (kind === undefined) return [];
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    return [{ path: `${root}${kind.namespaced ? '/namespaces/default' : ''}/${kind.plural}`, bytes: Uint8Array.fromBase64(protobuf) }];
  });
}
