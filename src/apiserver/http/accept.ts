/** Content negotiation: in which form a client wants its answer. */
import { refusal } from '../refusals.ts';

/** One alternative of an Accept header. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

interface WeighedRange extends MediaRange {
  readonly quality: number;
}

/** The alternatives of an Accept header, what the client likes best first; an absent header accepts JSON. */
export function parseAccept(header: string | undefined): readonly MediaRange[] {
  const text = header === undefined || header === '' ? 'application/json' : header;
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const ranges = rangesOf(text);
  if (parsed.size >= PARSED_MAX) parsed.clear();
  if (text.length <= PARSED_LENGTH_MAX) parsed.set(text, ranges);
  return ranges;
}

/** A program sends the same header with all its requests, and an answer looks at it several times. */
const parsed = new Map<string, readonly MediaRange[]>();
const PARSED_MAX = 100;
const PARSED_LENGTH_MAX = 500;

/** Upstream: goautoneg.ParseAccept; what is more special comes first among equals. */
function rangesOf(text: string): readonly MediaRange[] {
  const ranges = text.split(',').flatMap(rangeOf);
  return ranges.sort((a, b) => b.quality - a.quality || wildcards(a) - wildcards(b));
}

function wildcards({ type }: MediaRange): number {
  return type.split('*').length;
}

/** None for what names no type. */
function rangeOf(alternative: string): readonly WeighedRange[] {
  const [name = '', ...rest] = alternative.split(';').map((part) => part.trim());
  const type = name === '*' ? '*/*' : name.replace(/\s*\/\s*/, '/');
  if (!/^[^/]*\/[^/]+$/.test(type)) return [];
  const parameters = rest.map((parameter) => parameter.split('=')).filter(([, value = '', ...more]) => value !== '' && more.length === 0);
  const values = new Map(parameters.map(([key = '', value = '']): [string, string] => [key.trim(), value.trim()]));
  const quality = values.get('q');
  values.delete('q');
  return [{ type, parameters: values, quality: quality === undefined ? 1 : Number(quality) || 0 }];
}

/** The `as` of a range for objects: what shall be made of them. */
export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';

/** What is served: which shape of an object, in which version of meta.k8s.io, in which encoding. */
export interface Representation {
  readonly shape: Shape;
  readonly metaVersion: string;
  readonly encoding: 'json' | 'yaml';
}

/** The content type of YAML answers and bodies. */
export const YAML_TYPE = 'application/yaml';
const JSON_TYPE = 'application/json';
const JSON_RANGES: ReadonlySet<string> = new Set([JSON_TYPE, 'application/*', '*/*']);
const META_VERSIONS: ReadonlySet<string> = new Set(['v1', 'v1beta1']);
/** What most routes answer in. */
export const JSON_AND_YAML: readonly string[] = [JSON_TYPE, YAML_TYPE];

/** True when the header names one of `types`, or takes all; parameters and qualities do not count (go-restful: Route.matchesAccept). */
function acceptsAny(header: string | undefined, types: readonly string[]): boolean {
  if (header === undefined || header === '') return true;
  return header.split(',').some((alternative) => {
    const type = alternative.split(';')[0]?.trim() ?? '';
    return type === '*/*' || types.includes(type);
  });
}

/** 406 unless one of `types` is accepted. */
export function checkAnswerable(accept: string | undefined, types: readonly string[]): void {
  if (!acceptsAny(accept, types)) throw refusal(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${types.join(', ')}`, {});
}

function encodingOf({ type }: MediaRange): Representation['encoding'] | undefined {
  if (JSON_RANGES.has(type)) return 'json';
  return type === YAML_TYPE ? 'yaml' : undefined;
}

/** Whatever can be made of objects. */
export const ANY_SHAPE: ReadonlySet<string> = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);
/** Of what is no object nothing else can be made. */
export const NO_SHAPE: ReadonlySet<string> = new Set();

/** Objects as they are. */
const PLAIN: Readonly<Record<Representation['encoding'], Representation>> = {
  json: { shape: 'object', metaVersion: 'v1', encoding: 'json' },
  yaml: { shape: 'object', metaVersion: 'v1', encoding: 'yaml' },
};

/** The first alternative that can be served, `shapes` being what is made of the object; undefined when there is none (406; upstream: NegotiateMediaTypeOptions). */
export function negotiate(header: string | undefined, shapes: ReadonlySet<string>): Representation | undefined {
  for (const range of parseAccept(header)) {
    const encoding = encodingOf(range);
    if (encoding === undefined) continue;
    if (range.parameters.size === 0) return PLAIN[encoding];
    const [as, group, version = '', stream] = ['as', 'g', 'v', 'stream'].map((name) => range.parameters.get(name));
    if (stream !== undefined && !(stream === 'watch' && encoding === 'json')) continue;
    if (as === undefined && group === undefined && version === '') return PLAIN[encoding];
    if (isShape(as) && shapes.has(as) && group === 'meta.k8s.io' && META_VERSIONS.has(version)) return { shape: as, metaVersion: version, encoding };
  }
  return undefined;
}

function isShape(as: string | undefined): as is Shape {
  return as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList';
}
