/**
 * Generates src/api/schema/go-members.json: how Go holds the members of each OpenAPI definition, where that does not follow from the definition.
 * Arguments: the folders of k8s.io/api, k8s.io/apimachinery and k8s.io/apiextensions-apiserver of the emulated release.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

interface Property {
  readonly type?: string;
  readonly $ref?: string;
  readonly allOf?: readonly unknown[];
}
interface Definition {
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
}
interface Field {
  readonly json: string;
  readonly options: readonly string[];
  /** As written, with the package's own types qualified: `*v1.DeviceAllocationMode`. */
  readonly type: string;
}
interface Structure {
  readonly fields: readonly Field[];
  readonly embedded: readonly string[];
}

const definitions = JSON.parse(readFileSync(join(ROOT, 'src/api/schema/definitions.json'), 'utf8')) as Readonly<Record<string, Definition>>;
/** By definition name. */
const structures = new Map<string, Structure>();
/** Types that are no structures, as Go names them in errors, by what a field's type says. */
const BASIC = new Set(['string', 'bool', 'int', 'int32', 'int64', 'float64', 'byte', 'any']);
/** Structures that JSON shows as scalars; definitions tell which. */
const SCALAR_STRUCTURES = new Set(['resource.Quantity', 'v1.Time', 'v1.MicroTime', 'intstr.IntOrString', 'runtime.RawExtension', 'v1.FieldsV1']);
const structureNames = new Set<string>();

for (const folder of process.argv.slice(2)) {
  for (const file of globSync(['**/types*.go', '**/*meta*.go', '**/well_known*.go'], { cwd: folder }))
    if (!file.endsWith('_test.go')) readGo(join(folder, file));
}

const table: Record<string, string> = {};
for (const [name, definition] of Object.entries(definitions)) {
  const like = [name, name.replace('.v1alpha3.', '.v1beta1.'), name.replace('.resource.v1.', '.resource.v1beta2.')];
  const structure = like.map((each) => structures.get(each)).find(Boolean);
  const text = structure === undefined ? '' : describe(name, structure, definition);
  if (text !== '') table[name] = text;
}
const lines = Object.keys(table)
  .sort()
  .map((name) => `  ${JSON.stringify(name)}: ${JSON.stringify(table[name])}`);
writeFileSync(join(ROOT, 'src/api/schema/go-members.json'), `{\n${lines.join(',\n')}\n}\n`);

/** `member:flags:type` of each member that is not what its definition suggests. */
function describe(name: string, structure: Structure, definition: Definition): string {
  const entries = structure.fields.flatMap((field): string[] => {
    if (definition.properties?.[field.json] === undefined) return [];
    const flags = flagsOf(field, definition.required?.includes(field.json) === true);
    const bare = field.type.replace(/^\*/, '');
    const named = namedType(bare) ? bare : '';
    return flags === '' && named === '' ? [] : [`${field.json}:${flags}:${named}`];
  });
  const inherited = structure.embedded.flatMap((embedded) => {
    const found = structures.get(embeddedName(name, embedded));
    return found === undefined ? [] : [describe(name, found, definition)];
  });
  return [...entries, ...inherited].filter((entry) => entry !== '').join(' ');
}

/** `*` pointer to a scalar, `+` printed although optional, `-` left out when empty although required, `0` left out when zero. */
function flagsOf({ options, type }: Field, required: boolean): string {
  const pointer = type.startsWith('*') && !structureNames.has(type.slice(1)) ? '*' : '';
  const omits = options.includes('omitempty') || options.includes('omitzero');
  const printed = required === omits ? (required ? '-' : '+') : '';
  return pointer + printed + (options.includes('omitzero') ? '0' : '');
}

/** Whether the type, or that of its elements or keys, has a name of its own without being a structure. */
function namedType(type: string): boolean {
  const parts = type
    .replaceAll(/[[\]*]/g, ' ')
    .replace(/^map /, '')
    .trim()
    .split(/\s+/);
  return parts.some((part) => !BASIC.has(part) && part !== 'map' && !structureNames.has(part) && !SCALAR_STRUCTURES.has(part));
}

/** The definition that holds an embedded type: in the same package unless it names another. */
function embeddedName(holder: string, embedded: string): string {
  return `${holder.slice(0, holder.lastIndexOf('.'))}.${embedded.replace(/^.*\./, '')}`;
}

function readGo(file: string): void {
  const text = readFileSync(file, 'utf8')
    .replaceAll(/\/\/.*$/gm, '')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const own = /^package (\w+)/m.exec(text)?.[1] ?? '';
  const folder = dirname(file)
    .replace(/^.*\/k8s\.io\//, '')
    .replace(/@[^/]*/, '');
  const prefix = `io.k8s.${folder.replaceAll('/', '.')}`;
  const imports = new Map(
    [...text.matchAll(/^\s+(?:(\w+) )?"([\w./-]+)"$/gm)].map(([, alias = '', path = '']) => [
      alias === '' ? path.replace(/^.*\//, '') : alias,
      path.replace(/^.*\//, ''),
    ]),
  );
  const qualified = (type: string): string =>
    type.replaceAll(/(?:(\w+)\.)?\b([A-Za-z]\w*)\b/g, (whole, alias: string | undefined, name: string) => {
      if (alias !== undefined) return `${imports.get(alias) ?? alias}.${name}`;
      return BASIC.has(name) || name === 'map' ? whole : `${own}.${name}`;
    });
  for (const [, name = '', body = ''] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
    structureNames.add(`${own}.${name}`);
    const fields = [...body.matchAll(/^\s+\w+\s+([^\s`]+)\s+`[^`]*json:"([^"]*)"/gm)].map(([, type = '', tag = '']): Field => {
      const [json = '', ...options] = tag.split(',');
      return { json, options, type: qualified(type) };
    });
    const embedded = [...body.matchAll(/^\s+([\w.]+)\s+`[^`]*json:",inline"/gm)].map(([, type = '']) => type);
    structures.set(`${prefix}.${name}`, { fields: fields.filter(({ json }) => json !== '' && json !== '-'), embedded });
  }
}
