/** Content negotiation: in which form a client wants its answer. */

/** One alternative of an Accept header. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The alternatives of an Accept header, what the client likes best first; an absent header accepts JSON. */
export function parseAccept(header: string | undefined): readonly MediaRange[] {
  const text = header === undefined || header.trim() === '' ? 'application/json' : header;
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

function rangesOf(text: string): readonly MediaRange[] {
  const ranges = text.split(',').map((alternative): MediaRange => {
    const [type = '', ...rest] = alternative.split(';').map((part) => part.trim());
    const parameters = rest.map((parameter): [string, string] => {
      const equals = parameter.indexOf('=');
      return equals < 0 ? [parameter, ''] : [parameter.slice(0, equals), parameter.slice(equals + 1)];
    });
    return { type: type.toLowerCase(), parameters: new Map(parameters) };
  });
  return ranges.sort((a, b) => quality(b) - quality(a));
}

function quality({ parameters }: MediaRange): number {
  const q = Number(parameters.get('q') ?? 1);
  return Number.isNaN(q) ? 1 : q;
}

/** The `as` of a range for objects: what shall be made of them. */
export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';

/** What is served: which shape of an object, in which version of meta.k8s.io, in which encoding. */
export interface Representation {
  readonly shape: Shape;
  readonly metaVersion: string;
  readonly encoding: 'json' | 'yaml';
}

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/*', '*/*']);
/** The content type of YAML answers and bodies. */
export const YAML_TYPE = 'application/yaml';
const META_VERSIONS: ReadonlySet<string> = new Set(['v1', 'v1beta1']);

/** True when one of the alternatives names an encoding that is served, whatever it asks to be made of the object. */
export function acceptsAnyEncoding(header: string | undefined): boolean {
  return parseAccept(header).some((range) => encodingOf(range) !== undefined);
}

function encodingOf({ type }: MediaRange): Representation['encoding'] | undefined {
  if (JSON_TYPES.has(type)) return 'json';
  return type === YAML_TYPE ? 'yaml' : undefined;
}

/** The first alternative that can be served, undefined when there is none (406). */
export function negotiate(header: string | undefined, offersTable = true): Representation | undefined {
  for (const range of parseAccept(header)) {
    const encoding = encodingOf(range);
    if (encoding === undefined) continue;
    const [as, group, version = ''] = ['as', 'g', 'v'].map((name) => range.parameters.get(name));
    if (as === undefined) return { shape: 'object', metaVersion: 'v1', encoding };
    if (as === 'Table' && !offersTable) continue;
    const known = as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList';
    if (known && group === 'meta.k8s.io' && META_VERSIONS.has(version)) return { shape: as, metaVersion: version, encoding };
  }
  return undefined;
}
