/** The gates over syntax trees: purity, documented exports, sizes, types that forbid nonsense, a purpose for every module. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';
import { filesBelow, type Gate } from './gate.ts';
import { readLayers } from './layers.ts';

/** House style: a module is split by concept before it grows past this. */
const MODULE_LINES_MAX = 500;
/** House style: a function's lines, and its parameters. */
const FUNCTION_LINES_MAX = 70;
const PARAMETERS_MAX = 4;

/** A syntax node as swc gives it; which members it has depends on its type. */
interface Node {
  readonly type: string;
  readonly span: { readonly start: number; readonly end: number };
  readonly [member: string]: unknown;
}

interface Module {
  readonly path: string;
  readonly text: string;
  readonly bytes: Buffer;
  readonly body: readonly Node[];
  /** Line of a byte offset of swc's. */
  lineAt(offset: number): number;
  /** The text before a byte offset of swc's. */
  before(offset: number): string;
}

type Rule = (module: Module) => readonly string[];

/** Time, randomness and I/O are parameters outside the layers that may touch Node. */
export const purityGate: Gate = { name: 'purity', run: (root) => check(root, pureModules(root), purity) };
/** Every exported symbol says what it means. */
export const documentedGate: Gate = { name: 'documented exports', run: (root) => check(root, ownModules(root), documented) };
/** Modules, functions and parameter lists stay small. */
export const sizeGate: Gate = { name: 'size', run: (root) => check(root, ownModules(root), size) };
/** No any, no non-null assertion, no suppression without its reason; the first line says what the module is for. */
export const styleGate: Gate = { name: 'style', run: (root) => check(root, ownModules(root), style) };

const GENERATED = /^src\/(wire\/gen|api\/types)\//;

function ownModules(root: string): string[] {
  return filesBelow(root, 'src').filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !GENERATED.test(path));
}

function pureModules(root: string): string[] {
  const impure = [...readLayers(root)].filter(([, layer]) => layer.node === true).map(([name]) => `src/${name}/`);
  return ownModules(root).filter((path) => !impure.some((folder) => path.startsWith(folder)));
}

function check(root: string, paths: readonly string[], rule: Rule): Promise<readonly string[]> {
  if (paths.length === 0) return Promise.resolve(['src: no module found']);
  return Promise.resolve(paths.flatMap((path) => rule(parse(root, path))));
}

/** swc counts offsets from an arbitrary base, in bytes; a statement of known place in front tells it. */
const MARK = '0;\n';

function parse(root: string, path: string): Module {
  const text = readFileSync(join(root, path), 'utf8');
  const bytes = Buffer.from(MARK + text);
  // swc's types list hundreds of nodes; the rules look at a handful of members and check them.
  const body = parseSync(MARK + text, { syntax: 'typescript', target: 'es2022' }).body as unknown as Node[];
  const base = body[0]?.span.start ?? 0;
  const before = (offset: number): string => bytes.subarray(MARK.length, offset - base).toString();
  return { path, text, bytes, body: body.slice(1), before, lineAt: (offset) => before(offset).split('\n').length };
}

/** Every node below `node`, itself first. */
function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const each of value) yield* nodesOf(each);
  } else if (typeof value === 'object' && value !== null) {
    if (isNode(value)) yield value;
    for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) yield* nodesOf(member);
  }
}

function isNode(value: object): value is Node {
  return 'type' in value && typeof value.type === 'string' && 'span' in value;
}

const IMPURE_GLOBALS = new Set(['process', 'Buffer', 'setTimeout', 'setInterval', 'setImmediate', 'console', 'crypto', 'fetch', 'performance', '__dirname']);
const IMPURE_MEMBERS = new Set(['Date.now', 'Math.random', 'performance.now', 'crypto.randomUUID', 'globalThis.setTimeout']);

function purity(module: Module): readonly string[] {
  const found: string[] = [];
  const report = (node: Node, what: string): number =>
    found.push(`${module.path}:${module.lineAt(node.span.start)}: ${what} belongs to platform; take it as a parameter`);
  for (const node of nodesOf(module.body)) {
    if (node.type === 'MemberExpression' && IMPURE_MEMBERS.has(`${nameOf(node.object)}.${nameOf(node.property)}`))
      report(node, `${nameOf(node.object)}.${nameOf(node.property)}`);
    if (node.type === 'MemberExpression' && IMPURE_GLOBALS.has(nameOf(node.object))) report(node, nameOf(node.object));
    if (node.type === 'CallExpression' && IMPURE_GLOBALS.has(nameOf(node.callee))) report(node, nameOf(node.callee));
    if (node.type === 'NewExpression' && nameOf(node.callee) === 'Date' && !(Array.isArray(node.arguments) && node.arguments.length > 0))
      report(node, 'new Date()');
  }
  return found;
}

function nameOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'value' in value && 'type' in value && value.type === 'Identifier' ? String(value.value) : '';
}

function documented(module: Module): readonly string[] {
  return module.body
    .filter((node) => node.type === 'ExportDeclaration' && !module.before(node.span.start).trimEnd().endsWith('*/'))
    .map((node) => `${module.path}:${module.lineAt(node.span.start)}: an exported symbol needs a comment /** … */ that says what it means`);
}

const FUNCTIONS = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'Constructor',
  'MethodProperty',
]);

function size(module: Module): readonly string[] {
  const found: string[] = [];
  const lines = module.text.split('\n').length - 1;
  if (lines > MODULE_LINES_MAX) found.push(`${module.path}: ${lines} lines; split it by concept (at most ${MODULE_LINES_MAX})`);
  for (const node of nodesOf(module.body)) {
    if (!FUNCTIONS.has(node.type)) continue;
    const line = module.lineAt(node.span.start);
    const length = module.lineAt(node.span.end) - line + 1;
    if (length > FUNCTION_LINES_MAX) found.push(`${module.path}:${line}: a function of ${length} lines (at most ${FUNCTION_LINES_MAX})`);
    const parameters = parametersOf(node);
    if (parameters > PARAMETERS_MAX) found.push(`${module.path}:${line}: a function of ${parameters} parameters (at most ${PARAMETERS_MAX})`);
  }
  return found;
}

function parametersOf(node: Node): number {
  const own = Array.isArray(node.params) ? node.params : undefined;
  const inner: unknown = node.function;
  if (own !== undefined) return own.length;
  return typeof inner === 'object' && inner !== null && 'params' in inner && Array.isArray(inner.params) ? inner.params.length : 0;
}

const SUPPRESSION = /(@ts-(?:ignore|expect-error|nocheck)|(?:ox|es)lint-disable)(?![^\n]*--? ?\w)/;
const VAGUE = /(?:^|\/)(utils?|helpers?|common|misc)(?:\.ts|\/)/;

function style(module: Module): readonly string[] {
  const found: string[] = [];
  if (!module.text.startsWith('/**')) found.push(`${module.path}:1: the first line says in one sentence what the module is for`);
  if (VAGUE.test(module.path)) found.push(`${module.path}: a name that says nothing (utils, helpers, common, misc)`);
  const suppression = SUPPRESSION.exec(module.text);
  if (suppression !== null) found.push(`${module.path}: ${suppression[1] ?? ''} without its reason (-- why)`);
  for (const node of nodesOf(module.body)) {
    if (node.type === 'TsKeywordType' && node.kind === 'any') found.push(`${module.path}:${module.lineAt(node.span.start)}: any`);
    if (node.type === 'TsNonNullExpression') found.push(`${module.path}:${module.lineAt(node.span.start)}: non-null assertion`);
  }
  return found;
}
