/** Brings the answers of two API servers into a form in which they can be compared: uids, revisions, times and generated names become marks. */
import { isJsonObject, type Json, type JsonObject } from '#machinery';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ANY_UUID = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
const ANY_TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const AGE = /^(\d+[smhdy]){1,2}( ago)?$/;
const AGE_AGO = /\((\d+[smhdy]){1,2} ago\)/;
const GENERATED = '[bcdfghjklmnpqrstvwxz2456789]{5}';
const REVISION_TEXT = /resource ?version|revision/i;
const SERVER_REVISION = /(resourceVersion\W{1,6}|current: |too old resource version: )\d+( \(\d+\))?/g;
const TWO_HOURS_MS = 2 * 3600 * 1000;
/** Below this length no text names an object by its uid. */
const LONG_TEXT = 36;

/** The marks of one recording; equal values keep equal marks throughout it. */
export class Normaliser {
  readonly #omit: ReadonlySet<string>;
  readonly #uids = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #prefixes = new Set<string>();
  readonly #revisions = new Map<string, string>();

  /** `omit`: members that are removed wherever they occur. */
  constructor(omit: readonly string[]) {
    this.#omit = new Set(['storageVersionHash', ...omit]);
  }

  /** A body with marks. */
  body(value: Json): Json {
    this.#learn(value);
    return this.#walk(value, undefined, undefined);
  }

  /** A text with marks. */
  text(value: string): string {
    let text = value;
    for (const [uid, mark] of this.#uids) text = text.replaceAll(uid, mark);
    for (const prefix of this.#prefixes) text = text.replace(generated(prefix), (name) => this.#generatedName(prefix, name));
    if (text.length > LONG_TEXT) text = text.replace(ANY_UUID, '<uid>').replace(ANY_TIME, timeMark);
    if (!REVISION_TEXT.test(text)) return text;
    return text.replace(SERVER_REVISION, '$1<list-rv>').replace(/\b\d{2,}\b/g, (digits) => this.#revisions.get(digits) ?? digits);
  }

  /** Names that the server makes of this generateName are marked from now on. */
  expectNames(prefix: Json | undefined): void {
    if (typeof prefix === 'string' && prefix !== '') this.#prefixes.add(prefix.slice(0, 58));
  }

  #generatedName(prefix: string, name: string): string {
    const mark = this.#names.get(name) ?? `${prefix}<generated:${String(this.#names.size + 1)}>`;
    this.#names.set(name, mark);
    return mark;
  }

  #learn(value: Json): void {
    if (Array.isArray(value)) return value.forEach((item: Json) => this.#learn(item));
    if (!isJsonObject(value)) return;
    const metadata = value['metadata'];
    if (isJsonObject(metadata)) {
      const { name, resourceVersion, generateName } = metadata;
      if (name !== undefined && typeof resourceVersion === 'string' && /^\d+$/.test(resourceVersion) && value['kind'] !== 'Table') {
        remember(this.#revisions, resourceVersion, 'rv');
      }
      this.expectNames(generateName);
    }
    for (const key of Object.keys(value).sort()) {
      const member = value[key];
      if (this.#omit.has(key) || member === undefined) continue;
      if (key === 'uid' && typeof member === 'string' && UUID.test(member)) remember(this.#uids, member, 'uid');
      else this.#learn(member);
    }
  }

  #walk(value: Json, key: string | undefined, parent: JsonObject | undefined): Json {
    if (typeof value === 'string') return this.#string(value, key, parent);
    if (Array.isArray(value)) {
      const items = value.map((item: Json) => this.#walk(key === 'columnDefinitions' ? withoutDescription(item) : item, undefined, undefined));
      return key === 'managedFields' ? items.sort(byManager) : items;
    }
    if (!isJsonObject(value)) return value;
    const names = Object.keys(value).filter((name) => !this.#omit.has(name) && value[name] !== undefined);
    return Object.fromEntries(names.sort().map((name) => [this.text(name), this.#walk(value[name] ?? null, name, value)]));
  }

  #string(value: string, key: string | undefined, parent: JsonObject | undefined): string {
    if (key === 'resourceVersion' && /^\d+$/.test(value)) {
      const mark = parent?.['name'] === undefined ? undefined : this.#revisions.get(value);
      return mark ?? (value === '0' ? '0' : '<list-rv>');
    }
    if (key === 'continue' && value !== '') return '<continue>';
    if (key === 'serverAddress') return '<address>';
    if (key === 'token' && value.length > 100) return '<token>';
    if (TIME.test(value)) return timeMark(value);
    return this.text(key === undefined ? value.replace(AGE, '<age>').replace(AGE_AGO, '(<age>)') : value);
  }
}

function withoutDescription(column: Json): Json {
  if (!isJsonObject(column)) return column;
  const { description: _description, ...rest } = column;
  return rest;
}

/** Times that a client chose stay; those near the present came from the server. */
function timeMark(time: string): string {
  if (Math.abs(Date.parse(time) - Date.now()) > TWO_HOURS_MS) return time;
  return time.includes('.') ? '<microtime>' : '<time>';
}

function generated(prefix: string): RegExp {
  return new RegExp(`(?<![A-Za-z0-9-])${prefix.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}${GENERATED}(?![A-Za-z0-9])`, 'g');
}

function remember(map: Map<string, string>, value: string, label: string): void {
  if (!map.has(value)) map.set(value, `<${label}:${String(map.size + 1)}>`);
}

function byManager(a: Json, b: Json): number {
  const id = (entry: Json): string =>
    isJsonObject(entry) ? ['operation', 'manager', 'apiVersion', 'subresource'].map((name) => JSON.stringify(entry[name] ?? '')).join('\n') : '';
  return id(a) < id(b) ? -1 : 1;
}
