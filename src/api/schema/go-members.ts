/** How Go holds the members of upstream's types, where the OpenAPI definitions do not tell: pointers, omissions, names of types. */
import raw from './go-members.json' with { type: 'json' };

/** What is particular about a member. */
export interface GoMember {
  /** A scalar is held by pointer: absent and zero differ. */
  readonly pointer: boolean;
  /** Left out of JSON when it is empty or zero (`omitempty`), or not although the definition suggests so; undefined: as the definition suggests. */
  readonly omitsEmpty: boolean | undefined;
  /** A structure that is left out when it is zero (`omitzero`). */
  readonly omitsZero: boolean;
  /** The Go type, "" when it follows from the definition. */
  readonly type: string;
}

const PLAIN: GoMember = { pointer: false, omitsEmpty: undefined, omitsZero: false, type: '' };
const written: Readonly<Record<string, string>> = raw;
const tables = new Map<string, ReadonlyMap<string, GoMember>>();

/** What is particular about a member of a definition. */
export function goMember(definition: string, member: string): GoMember {
  let table = tables.get(definition);
  if (table === undefined) {
    const entries = (written[definition] ?? '').split(' ').filter((entry) => entry !== '');
    table = new Map(entries.map(entryOf));
    tables.set(definition, table);
  }
  return table.get(member) ?? PLAIN;
}

function entryOf(entry: string): readonly [string, GoMember] {
  const [name = '', flags = '', type = ''] = entry.split(':');
  const omitsEmpty = flags.includes('-') ? true : flags.includes('+') ? false : undefined;
  return [name, { pointer: flags.includes('*'), omitsEmpty, omitsZero: flags.includes('0'), type }];
}
