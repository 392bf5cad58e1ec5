/** Reads manifests: YAML or JSON, several documents, lists flattened. */
import { type ApiObject, isJsonObject, type Json, type JsonObject, parseYaml, YamlError } from '#machinery';

/** An object as a manifest gives it: names its version and kind. */
export interface Manifest extends ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The objects of `text`, in order; rejects with one sentence that names `source` and the line. Empty documents are skipped. */
export async function parseManifests(text: string, source: string): Promise<readonly Manifest[]> {
  const manifests: Manifest[] = [];
  for (const document of documentsOf(text)) {
    const value = await parseDocument(document, source);
    if (value !== null) manifests.push(...manifestsOf(value, `${source}:${String(document.line)}`));
  }
  return manifests;
}

interface YamlDocument {
  /** Behind as many empty lines as there are lines before it, so that errors name the line of the file. */
  readonly text: string;
  /** Its first line that is neither empty nor a comment. */
  readonly line: number;
}

/** Documents start at lines with `---`. */
function documentsOf(text: string): readonly YamlDocument[] {
  const documents: YamlDocument[] = [];
  let start = 0;
  const lines = text.split('\n');
  const end = (until: number): void => {
    const own = lines.slice(start, until);
    const first = own.findIndex((line) => !/^\s*(#|$)/.test(line));
    if (first >= 0) documents.push({ text: '\n'.repeat(start) + own.join('\n'), line: start + first + 1 });
    start = until;
  };
  lines.forEach((line, index) => {
    if (!/^---(\s|$)/.test(line)) return;
    end(index);
    lines[index] = line.replace('---', '   ');
  });
  end(lines.length);
  return documents;
}

async function parseDocument({ text, line }: YamlDocument, source: string): Promise<Json> {
  try {
    const { value, repeated } = await parseYaml(text);
    if (repeated[0] !== undefined) throw new YamlError(`yaml: ${repeated[0]}`);
    return value;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const [, at = String(line), what = ''] = /^yaml: (?:line (\d+): )?(.*)/s.exec(error.message) ?? [];
    throw new Error(`${source}:${at}: ${what}`, { cause: error });
  }
}

function manifestsOf(value: Json, place: string): readonly Manifest[] {
  if (!isJsonObject(value)) throw new Error(`${place}: this is ${kindOf(value)}, not an object`);
  const { kind, items } = value;
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) return items.flatMap((item) => manifestsOf(item, place));
  checkManifest(value, place);
  // Version, kind, metadata and name were checked; everything else is the server's to judge.
  return [value as JsonObject & Manifest];
}

function kindOf(value: Json): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

function checkManifest({ apiVersion, kind, metadata }: JsonObject, place: string): void {
  if (typeof apiVersion !== 'string' || apiVersion === '') throw new Error(`${place}: the object has no apiVersion`);
  if (typeof kind !== 'string' || kind === '') throw new Error(`${place}: the object has no kind`);
  if (!isJsonObject(metadata)) throw new Error(`${place}: the object has no metadata`);
  if (typeof (metadata['name'] ?? metadata['generateName']) !== 'string') throw new Error(`${place}: the object has no metadata.name`);
}
