/** Reads YAML as Kubernetes does: YAML 1.1, the first document of a text, members in the order of their names. */
import { type Document, isNode, isScalar, LineCounter, parseAllDocuments, stringify, visit } from 'yaml';
import type { Json } from './meta.ts';

/** A YAML text as JSON. */
export interface YamlResult {
  readonly value: Json;
  /** One text for each member that is set again; the last one counts. */
  readonly repeated: readonly string[];
}

/** A text that is no YAML; the message starts as upstream's: `yaml: line 3: `. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/** What YAML 1.1 has and upstream's reader (yaml.v2 into JSON) has not: times, collections of other kinds, numbers to the base of 60. */
const UNKNOWN_TAGS: ReadonlySet<string> = new Set(['timestamp', 'binary', 'omap', 'pairs', 'set'].map((name) => `tag:yaml.org,2002:${name}`));
const BASE_60 = 'TIME';

/**
 * Parses the first document as sigs.k8s.io/yaml does for request bodies and manifests; documents after it are ignored. Integers that
 * a double cannot hold are bigint. Throws YamlError.
 */
export function parseYaml(text: string): YamlResult {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: '1.1',
    intAsBigInt: true,
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || (!UNKNOWN_TAGS.has(tag.tag) && tag.format !== BASE_60)),
  });
  const [document] = documents;
  if (document === undefined || 'empty' in documents) return { value: null, repeated: [] };
  const [problem] = document.errors;
  if (problem !== undefined) throw new YamlError(`yaml: line ${String(lines.linePos(problem.pos[0]).line)}: ${problem.message}`);
  return { value: asJson(document), repeated: repeatedMembers(document, lines) };
}

/** JSON as sigs.k8s.io/yaml writes it: members by name, sequences not indented, texts quoted where they would be read as something else. */
export function stringifyYaml(value: Json): string {
  return stringify(value, { version: '1.1', sortMapEntries: true, indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false });
}

function asJson(document: Document): Json {
  try {
    return inOrder(document.toJS());
  } catch (error) {
    throw new YamlError(`yaml: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Members by name, as a Go map is written; integers as numbers where these are exact. */
function inOrder(value: unknown): Json {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (typeof value !== 'object' || value === null) return value as Json;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, inOrder(member)]));
}

/** Upstream: decoder.setMapIndex of yaml.v2 in strict mode. */
function repeatedMembers(document: Document, lines: LineCounter): readonly string[] {
  const found: string[] = [];
  visit(document, {
    Map(_key, map) {
      const seen = new Set<unknown>();
      for (const { key, value } of map.items) {
        const name = isScalar(key) ? key.value : undefined;
        if (seen.has(name)) found.push(`line ${String(lineOf(value ?? key, lines))}: key ${JSON.stringify(name)} already set in map`);
        seen.add(name);
      }
    },
  });
  return found;
}

function lineOf(node: unknown, lines: LineCounter): number {
  return isNode(node) && node.range ? lines.linePos(node.range[0]).line : 0;
}
