/** Content negotiation: in which form a client wants its answer. */

/** One alternative of an Accept header. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The alternatives of an Accept header in the client's order; an absent header accepts JSON. */
export function parseAccept(header: string | undefined): readonly MediaRange[] {
  const text = header === undefined || header.trim() === '' ? 'application/json' : header;
  return text.split(',').map((alternative) => {
    const [type = '', ...rest] = alternative.split(';').map((part) => part.trim());
    const parameters = rest.map((parameter): [string, string] => {
      const equals = parameter.indexOf('=');
      return equals < 0 ? [parameter, ''] : [parameter.slice(0, equals), parameter.slice(equals + 1)];
    });
    return { type: type.toLowerCase(), parameters: new Map(parameters) };
  });
}

/** True when JSON satisfies the range. */
export function isJsonRange({ type }: MediaRange): boolean {
  return type === 'application/json' || type === '*/*' || type === 'application/*';
}

/** The `as` of a range for objects: what shall be made of them. */
export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';

/** The first acceptable shape, undefined when none is (406). Only meta.k8s.io/v1 is offered. */
export function shapeOf(header: string | undefined, offersTable = true): Shape | undefined {
  for (const range of parseAccept(header)) {
    if (!isJsonRange(range)) continue;
    const as = range.parameters.get('as');
    if (as === undefined) return 'object';
    if (as === 'Table' && !offersTable) continue;
    const known = as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList';
    if (known && range.parameters.get('g') === 'meta.k8s.io' && range.parameters.get('v') === 'v1') return as;
  }
  return undefined;
}
