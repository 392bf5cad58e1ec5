/**
 * Generates src/api/schema/field-numbers.json: by which numbers the protobuf encoding names the fields of each OpenAPI definition.
 * Arguments: folders with the generated.proto files of k8s.io/api and k8s.io/apimachinery of the emulated release.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

interface Definition {
  readonly properties?: Readonly<Record<string, unknown>>;
}
interface Field {
  readonly number: string;
  readonly name: string;
  readonly type: string;
}

const definitions = JSON.parse(readFileSync(join(ROOT, 'src/api/schema/definitions.json'), 'utf8')) as Readonly<Record<string, Definition>>;
const messages = new Map<string, readonly Field[]>();
for (const folder of process.argv.slice(2)) for (const file of globSync('**/generated.proto', { cwd: folder })) readProto(join(folder, file));

const table: Record<string, string> = {};
for (const name of Object.keys(definitions)) add(name, definitions[name]?.properties ?? {});
const lines = Object.keys(table)
  .sort()
  .map((name) => `  ${JSON.stringify(name)}: ${JSON.stringify(table[name])}`);
writeFileSync(join(ROOT, 'src/api/schema/field-numbers.json'), `{\n${lines.join(',\n')}\n}\n`);

/** `number:field` of each field; a message whose members Go embeds, so that JSON shows them one level up, is `number:+message`. */
function add(name: string, properties: Readonly<Record<string, unknown>>): void {
  // 1.31 to 1.33 numbered v1alpha3 as v1beta1, 1.37 numbers v1 as v1beta2.
  const fields = [name, name.replace('.v1alpha3.', '.v1beta1.'), name.replace('.resource.v1.', '.resource.v1beta2.')]
    .map((each) => messages.get(each))
    .find(Boolean);
  if (fields === undefined || name in table) return;
  table[name] = fields.map((field) => `${field.number}:${spelled(field, properties)}`).join(' ');
  for (const field of fields) if (spelled(field, properties).startsWith('+')) add(field.type, properties);
}

/** A few messages write a field's first letter in the other case than JSON. */
function spelled({ name, type }: Field, properties: Readonly<Record<string, unknown>>): string {
  const known = Object.keys(properties).find((property) => property.toLowerCase() === name.toLowerCase());
  return known ?? (messages.has(type) ? `+${type}` : name);
}

function readProto(file: string): void {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\/.*$/gm, '');
  const definitionPackage = (/^package k8s\.io\.([\w.]+);/m.exec(text)?.[1] ?? '').replace(/^/, 'io.k8s.');
  const qualified = (type: string): string => (type.startsWith('.k8s.io.') ? `io.k8s.${type.slice('.k8s.io.'.length)}` : `${definitionPackage}.${type}`);
  for (const [, message = '', body = ''] of text.matchAll(/^message (\w+) \{\n([^}]*)^\}/gm)) {
    const fields = [...body.matchAll(/^ +(?:optional |repeated )?(map<[^>]*>|[\w.]+) (\w+) = (\d+);/gm)];
    messages.set(
      `${definitionPackage}.${message}`,
      fields.map(([, type = '', name = '', number = '']) => ({ number, name, type: qualified(type) })),
    );
  }
}
