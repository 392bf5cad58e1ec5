/** Reads YAML as Kubernetes does: YAML 1.1, the first document of a text, members in the order of their names. */
import type * as Yaml from 'yaml';
import { parseJson } from './json.ts';
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

/** A text of more tokens than the reader was told to take. */
export class YamlTooLongError extends YamlError {
  constructor(tokensMax: number) {
    super(`yaml: the text has more than ${String(tokensMax)} tokens`);
  }
}

/** Loaded with the first text that needs it: it is as large as the API server itself, most of whose clients send JSON. */
async function library(): Promise<typeof Yaml> {
  return import('yaml');
}

/** What YAML 1.1 has and upstream's reader (yaml.v2 into JSON) has not: times, collections of other kinds, numbers to the base of 60. */
const UNKNOWN_TAGS: ReadonlySet<string> = new Set(['timestamp', 'binary', 'omap', 'pairs', 'set'].map((name) => `tag:yaml.org,2002:${name}`));
const BASE_60 = 'TIME';

/**
 * Parses the first document as sigs.k8s.io/yaml does for request bodies and manifests; documents after it are ignored. Integers that
 * a double cannot hold are bigint. Reading takes some two microseconds a token. Rejects with YamlError, YamlTooLongError past `tokensMax`.
 */
export async function parseYaml(text: string, tokensMax = Number.POSITIVE_INFINITY): Promise<YamlResult> {
  const json = jsonOf(text);
  if (json !== undefined) return { value: json, repeated: [] };
  const yaml = await library();
  const lines = new yaml.LineCounter();
  const document = firstDocument(yaml, text, { lines, tokensMax });
  if (document === undefined) return { value: null, repeated: [] };
  const [problem] = document.errors;
  if (problem !== undefined) throw new YamlError(`yaml: line ${String(lines.linePos(problem.pos[0]).line)}: ${problem.message}`);
  return { value: asJson(document), repeated: repeatedMembers(yaml, document, lines) };
}

/** JSON as sigs.k8s.io/yaml writes it: members by name, sequences not indented, texts quoted where they would be read as something else. */
export async function stringifyYaml(value: Json): Promise<string> {
  const { stringify } = await library();
  return stringify(value, { version: '1.1', sortMapEntries: true, indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false });
}

/** Most of what is sent as YAML is JSON, which is read a hundred times faster; undefined for other texts and where a member is set again. */
function jsonOf(text: string): Json | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    const value = inOrder(parseJson(text));
    const colons = text.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '').split(':').length - 1;
    return membersOf(value) === colons ? value : undefined;
  } catch {
    return undefined;
  }
}

function membersOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inside = Object.values(value).reduce((sum: number, member) => sum + membersOf(member ?? null), 0);
  return inside + (Array.isArray(value) ? 0 : Object.keys(value).length);
}

/** How far to read, and what keeps count of the lines. */
interface Reading {
  readonly lines: Yaml.LineCounter;
  readonly tokensMax: number;
}

function firstDocument(yaml: typeof Yaml, text: string, reading: Reading): Yaml.Document | undefined {
  const composer = new yaml.Composer({
    version: '1.1',
    intAsBigInt: true,
    uniqueKeys: false,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || (!UNKNOWN_TAGS.has(tag.tag) && tag.format !== BASE_60)),
  });
  for (const document of composer.compose(parsed(yaml, text, reading))) return document;
  return undefined;
}

/** The syntax of the text up to the end of its first document. */
function* parsed({ Lexer, Parser }: typeof Yaml, text: string, { lines, tokensMax }: Reading): Generator<Yaml.CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let tokens = 0;
  for (const token of new Lexer().lex(text)) {
    if (++tokens > tokensMax) throw new YamlTooLongError(tokensMax);
    for (const part of parser.next(token)) {
      yield part;
      if (part.type === 'document') return;
    }
  }
  yield* parser.end();
}

function asJson(document: Yaml.Document): Json {
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
function repeatedMembers({ isNode, isScalar, visit }: typeof Yaml, document: Yaml.Document, lines: Yaml.LineCounter): readonly string[] {
  const found: string[] = [];
  const lineOf = (node: unknown): number => (isNode(node) && node.range ? lines.linePos(node.range[0]).line : 0);
  visit(document, {
    Map(_key, map) {
      const seen = new Set<unknown>();
      for (const { key, value } of map.items) {
        const name = isScalar(key) ? key.value : undefined;
        if (seen.has(name)) found.push(`line ${String(lineOf(value ?? key))}: key ${JSON.stringify(name)} already set in map`);
        seen.add(name);
      }
    },
  });
  return found;
}
