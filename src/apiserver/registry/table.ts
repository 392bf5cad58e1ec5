/** Tables: what kubectl prints, rows encoded once per stored version. */
import { Age, type Column, type Kind, type TableColumns } from '#api';
import { type ApiObject, type Json, stringifyJson } from '#machinery';
import type { Scope } from '../catalog.ts';
import type { Pieces } from '../http/pieces.ts';
import type { StoredObject } from './object-store.ts';

/** The columns of kinds that bring none (upstream: defaultTableConvertor). */
const DEFAULT_COLUMNS: TableColumns = {
  columns: [
    { name: 'Name', type: 'string', format: 'name', description: 'Name must be unique within a namespace.', priority: 0 },
    {
      name: 'Created At',
      type: 'date',
      format: '',
      description: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
      priority: 0,
    },
  ],
  cells: (object) => [object.metadata.name ?? '', object.metadata.creationTimestamp ?? null],
};

/** The JSON of a row up to the value of `object`: ages, which differ with every look, stand between the texts. */
export interface RowHead {
  readonly kind: Kind;
  /** One more than ages. */
  readonly texts: readonly string[];
  readonly ages: readonly Age[];
}

/** Encodes the cells and conditions of an object of `kind`. */
export function rowHeadOf(object: ApiObject, kind: Kind): RowHead {
  const table = kind.table ?? DEFAULT_COLUMNS;
  const texts: string[] = [];
  const ages: Age[] = [];
  let text = '{"cells":[';
  for (const [at, cell] of table.cells(object).entries()) {
    if (at > 0) text += ',';
    if (cell instanceof Age) {
      ages.push(cell);
      texts.push(text + stringifyJson(cell.before).slice(0, -1));
      text = stringifyJson(cell.after).slice(1);
    } else text += stringifyJson(cell);
  }
  const conditions = table.conditions?.(object);
  texts.push(`${text}]${conditions === undefined ? '' : `,"conditions":${stringifyJson(conditions)}`},"object":`);
  return { kind, texts, ages };
}

/** What rows carry of their objects, as includeObject of a request says. */
export type RowContent = 'None' | 'Metadata' | 'Object';

/** What is asked of the rows of a table. */
export interface RowRequest {
  readonly scope: Scope;
  readonly metaVersion: string;
  readonly content: RowContent;
}

/** What is asked of a table. */
export interface TableRequest extends RowRequest {
  readonly nowMs: number;
  /** Metadata of the list. */
  readonly metadata: Json;
  readonly withoutColumns?: boolean;
}

/** Adds the JSON of the table of `items`. */
export function addTable(pieces: Pieces, items: readonly StoredObject[], request: TableRequest): Pieces {
  addTableHead(pieces, request);
  for (const [at, item] of items.entries()) {
    if (at > 0) pieces.text(',');
    addRow(pieces, item, request, (age) => pieces.text(age.at(request.nowMs)));
  }
  return pieces.text(']}');
}

/** Adds what comes before the rows. */
export function addTableHead(pieces: Pieces, { scope, metaVersion, metadata, withoutColumns }: TableRequest): void {
  const { columns } = scope.kind.table ?? DEFAULT_COLUMNS;
  const definitions = withoutColumns === true ? null : columns.map(columnDefinition);
  const head = { kind: 'Table', apiVersion: `meta.k8s.io/${metaVersion}`, metadata, columnDefinitions: definitions };
  pieces.text(`${stringifyJson(head).slice(0, -1)},"rows":[`);
}

/** Adds the row of an object; `addAge` brings its ages in. */
export function addRow(pieces: Pieces, item: StoredObject, { scope, metaVersion, content }: RowRequest, addAge: (age: Age) => void): void {
  const { texts, ages } = item.rowHead(scope.kind);
  pieces.text(texts[0] ?? '');
  for (const [at, age] of ages.entries()) {
    addAge(age);
    pieces.text(texts[at + 1] ?? '');
  }
  if (content === 'None') pieces.text('null');
  else if (content === 'Object') item.addJson(pieces, scope);
  else item.addPartial(pieces, scope, metaVersion);
  pieces.text('}');
}

function columnDefinition({ name, type, format, description, priority }: Column): Json {
  return { name, type, format: format ?? '', description, priority };
}
