/** Ages in table cells, worded as kubectl knows them (apimachinery duration.HumanDuration). */
import type { ApiObject, Json } from '#machinery';
import type { Cell, Column } from '../kind.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A duration in its two leading units: 90s, 5m10s, 3h12m, 2d4h, 40d, 2y30d. A clock up to two seconds behind shows 0s, further behind `<invalid>`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (ms < 2 * MINUTE) return `${seconds}s`;
  if (ms < 10 * MINUTE) return pair(ms, [MINUTE, 'm'], [SECOND, 's']);
  if (ms < 3 * HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < 8 * HOUR) return pair(ms, [HOUR, 'h'], [MINUTE, 'm']);
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)}h`;
  if (ms < 8 * DAY) return pair(ms, [DAY, 'd'], [HOUR, 'h']);
  if (ms < 2 * YEAR) return `${Math.floor(ms / DAY)}d`;
  if (ms < 8 * YEAR) return pair(ms, [YEAR, 'y'], [DAY, 'd']);
  return `${Math.floor(ms / YEAR)}y`;
}

function pair(ms: number, large: readonly [number, string], small: readonly [number, string]): string {
  const rest = Math.floor((ms % large[0]) / small[0]);
  const head = `${Math.floor(ms / large[0])}${large[1]}`;
  return rest === 0 ? head : `${head}${rest}${small[1]}`;
}

/** A cell that shows how long ago something was, between two texts: worded anew whenever it is shown. */
export class Age {
  readonly before: string;
  readonly after: string;
  /** NaN where nobody knows. */
  readonly #sinceMs: number;

  constructor(since: string | undefined, before = '', after = '') {
    this.#sinceMs = since === undefined ? Number.NaN : Date.parse(since);
    this.before = before;
    this.after = after;
  }

  /** What stands between the texts at `nowMs`; `<unknown>` where nobody knows. */
  at(nowMs: number): string {
    return Number.isNaN(this.#sinceMs) ? '<unknown>' : humanDuration(nowMs - this.#sinceMs);
  }
}

/** A cell as it is shown at `nowMs`. */
export function shownCell(cell: Cell, nowMs: number): Json {
  return cell instanceof Age ? `${cell.before}${cell.at(nowMs)}${cell.after}` : cell;
}

/** The cell of the Age column. */
export function ageCell(object: ApiObject): Age {
  return new Age(object.metadata.creationTimestamp);
}

/** The Name column that every kind has. */
export const NAME: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  priority: 0,
};

/** The Age column. */
export const AGE: Column = {
  name: 'Age',
  type: 'string',
  format: '',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
  priority: 0,
};

/** A string column without a format; priority 1 shows with -o wide only. */
export function column(name: string, description: string, priority = 0): Column {
  return { name, type: 'string', format: '', description, priority };
}

/** A column of whole numbers. */
export function integerColumn(name: string, description: string): Column {
  return { ...column(name, description), type: 'integer' };
}
