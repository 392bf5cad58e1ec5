/** What the neighbours of a list look like in an answer, kept encoded until one of them changes. */
import type { Age } from '#api';
import { Pieces } from '../http/pieces.ts';
import type { Run, Span } from './collection.ts';
import type { StoredObject } from './object-store.ts';

/** Bytes of all images that are kept. Objects that take more than this together are encoded anew for each answer. */
export const LIST_IMAGES_BYTES_MAX = 48 * 1024 * 1024;

/** How the objects of a list are written. */
export interface ItemRendering {
  /** The same for renderings that write the same. */
  readonly key: string;
  /** Adds the JSON of an object; `addAge` brings its ages in. */
  readonly add: (pieces: Pieces, item: StoredObject, addAge: (age: Age) => void) => void;
}

/** The JSON of the objects of a run with a comma before each, without their ages. */
interface Image {
  readonly bytes: Uint8Array;
  /** Where each object begins, and the last one ends. */
  readonly bounds: readonly number[];
  readonly ages: readonly { readonly age: Age; readonly at: number }[];
}

interface KeptImage extends Image {
  readonly run: Run;
  readonly key: string;
}

/** The images of one API server. */
export class ListImages {
  readonly #bytesMax: number;
  readonly #ofRuns = new WeakMap<Run, Map<string, KeptImage>>();
  /** All that are kept, the least recently used first. */
  readonly #recent = new Set<KeptImage>();
  #bytes = 0;

  constructor(bytesMax = LIST_IMAGES_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** What is kept takes so many bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the JSON of the objects, separated by commas, with ages as of `nowMs`. */
  add(pieces: Pieces, spans: readonly Span[], rendering: ItemRendering, nowMs: number): void {
    const keeps = spans.reduce((sum, { run }) => sum + run.bytes, 0) <= this.#bytesMax;
    for (const [i, span] of spans.entries()) {
      if (keeps) addPart(pieces, this.#kept(span.run, rendering), { ...span, isFirst: i === 0, nowMs });
      else addItems(pieces, span.run.items.slice(span.from, span.to), rendering, { isFirst: i === 0, nowMs });
    }
  }

  #kept(run: Run, rendering: ItemRendering): Image {
    const known = this.#ofRuns.get(run)?.get(rendering.key);
    const image = known ?? { ...imageOf(run, rendering), run, key: rendering.key };
    if (known === undefined) this.#keep(image);
    else this.#recent.delete(known);
    this.#recent.add(image);
    return image;
  }

  #keep(image: KeptImage): void {
    const { run, key, bytes } = image;
    let ofRun = this.#ofRuns.get(run);
    if (ofRun === undefined) {
      ofRun = new Map();
      this.#ofRuns.set(run, ofRun);
      run.onChange = () => this.#ofRuns.get(run)?.forEach((old) => this.#forget(old));
    }
    ofRun.set(key, image);
    this.#bytes += bytes.length;
    for (const oldest of this.#recent) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#forget(oldest);
    }
  }

  #forget(image: KeptImage): void {
    this.#ofRuns.get(image.run)?.delete(image.key);
    if (this.#recent.delete(image)) this.#bytes -= image.bytes.length;
  }
}

const COMMA = ',';

interface Adding {
  /** Whether no comma comes before the first object. */
  readonly isFirst: boolean;
  readonly nowMs: number;
}

/** Adds the JSON of `items`, separated by commas, with ages as of `nowMs`. */
export function addItems(pieces: Pieces, items: readonly StoredObject[], { add }: ItemRendering, { isFirst, nowMs }: Adding): void {
  for (const [i, item] of items.entries()) {
    if (i > 0 || !isFirst) pieces.text(COMMA);
    add(pieces, item, (age) => pieces.text(age.at(nowMs)));
  }
}

/** Adds the objects from place `from` up to place `to`. */
function addPart(pieces: Pieces, { bytes, bounds, ages }: Image, { from, to, isFirst, nowMs }: Pick<Span, 'from' | 'to'> & Adding): void {
  let at = (bounds[from] ?? 0) + (isFirst ? COMMA.length : 0);
  const end = bounds[to] ?? bytes.length;
  for (const shown of ages) {
    if (shown.at < at) continue;
    if (shown.at >= end) break;
    pieces.bytes(bytes.subarray(at, shown.at)).text(shown.age.at(nowMs));
    at = shown.at;
  }
  pieces.bytes(bytes.subarray(at, end));
}

function imageOf(run: Run, { add }: ItemRendering): Image {
  const pieces = new Pieces();
  /** What is at each mark: an age, or nothing where an object begins. */
  const marked: (Age | undefined)[] = [];
  const mark = (age: Age | undefined): void => {
    pieces.mark();
    marked.push(age);
  };
  for (const item of run.items) {
    mark(undefined);
    add(pieces.text(COMMA), item, mark);
  }
  const { bytes, marks } = pieces.marked();
  const bounds: number[] = [];
  const ages: { readonly age: Age; readonly at: number }[] = [];
  for (const [i, age] of marked.entries()) {
    const at = marks[i] ?? 0;
    if (age === undefined) bounds.push(at);
    else ages.push({ age, at });
  }
  return { bytes, bounds: [...bounds, bytes.length], ages };
}
