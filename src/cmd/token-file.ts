/** Reads the static bearer tokens of --token-auth-file (upstream: tokenfile.NewCSV). */
import { readFileSync } from 'node:fs';
import type { UserInfo } from '#apiserver';
import { asError } from '#base';

/** A field in quotes, where "" stands for a quote, or one without; then a comma or the end of the line. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

/** The user of a bearer token; undefined for a token that nobody has. */
export type TokenAuthenticator = (token: string) => UserInfo | undefined;

/** Reads a file of lines `token,user,uid` or `token,user,uid,"group,group"`; throws one sentence about the file or a line. */
export function tokensFromFile(path: string): TokenAuthenticator {
  const users = new Map<string, UserInfo>();
  textOf(path)
    .split(/\r?\n/)
    .forEach((line, index) => {
      if (line.trim() === '' || line.startsWith('#')) return;
      const [token = '', name = '', uid, groups = ''] = fieldsOf(line) ?? [];
      if (token === '' || name === '' || uid === undefined) throw new Error(`line ${String(index + 1)} is not token,user,uid or token,user,uid,"group,group"`);
      const named = groups.split(',').map((group) => group.trim());
      users.set(token, { name, uid, groups: named.filter((group) => group !== '') });
    });
  return (token) => users.get(token);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`cannot read the file: ${asError(error).message}`, { cause: error });
  }
}

/** The fields of a line of CSV; undefined when it is none. */
function fieldsOf(line: string): readonly string[] | undefined {
  const fields: string[] = [];
  FIELD.lastIndex = 0;
  for (;;) {
    const match = FIELD.exec(line);
    if (match === null) return undefined;
    fields.push((match[1]?.replaceAll('""', '"') ?? match[2] ?? '').trim());
    if (match[3] === '') return fields;
  }
}
