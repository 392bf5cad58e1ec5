/**
 * Plays recorded sessions of kubectl against a server and tells which commands print something else.
 *
 * A session is read line by line: `#: note`, `<<< name` up to `>>>` a file of the working directory, `$- command` a command whose output is not
 * kept, `$ command` one that is followed by its output (both streams) and by `[exit N]` where N is not 0.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Normaliser } from './http-normaliser.ts';

const run = promisify(execFile);

/** The kubectl with which the sessions were recorded. */
export const RECORDED_MINOR = '33';

type Part =
  | { readonly kind: 'file'; readonly name: string; readonly lines: string[] }
  | { readonly kind: 'command'; readonly command: string; readonly silent: boolean; readonly lines: string[] };

/** A command that printed something else than was recorded. */
export interface Difference {
  readonly command: string;
  readonly expected: string;
  readonly printed: string;
}

/** Where the sessions are played. */
export interface Target {
  readonly kubectl: string;
  readonly server: string;
  readonly token: string;
}

/** A kubectl of the recorded minor version: named by DRAY_KUBECTL, found on the PATH, or beside a dispatcher that is found there. */
export async function findKubectl(): Promise<string | undefined> {
  const named = process.env['DRAY_KUBECTL'];
  if (named !== undefined) return named;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const found = await kubectlIn(folder);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function kubectlIn(folder: string): Promise<string | undefined> {
  let path: string;
  try {
    path = realpathSync(join(folder, 'kubectl'));
  } catch {
    return undefined;
  }
  for (const candidate of [path, join(dirname(path), `kubectl.1.${RECORDED_MINOR}`)]) {
    const { stdout } = await run(candidate, ['version', '--client']).catch(() => ({ stdout: '' }));
    if (stdout.includes(`v1.${RECORDED_MINOR}.`)) return candidate;
  }
  return undefined;
}

/** Plays one session. */
export async function differingCommands(session: string, target: Target): Promise<readonly Difference[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dray-kubectl-'));
  try {
    prepare(folder, target);
    return await play(session, folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A kubectl that talks to the server and to nothing else. */
function prepare(folder: string, { kubectl, server, token }: Target): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token } }],
  };
  writeFileSync(join(folder, '.kubeconfig'), JSON.stringify(config));
  writeFileSync(join(folder, 'kubectl'), `#!/bin/sh\nexec ${kubectl} --kubeconfig=${folder}/.kubeconfig --cache-dir=${folder}/.cache "$@"\n`);
  chmodSync(join(folder, 'kubectl'), 0o755);
}

async function play(session: string, folder: string, { server }: Target): Promise<readonly Difference[]> {
  const normaliser = new Normaliser([]);
  const differences: Difference[] = [];
  for (const part of parse(session)) {
    if (part.kind === 'file') {
      writeFileSync(join(folder, part.name), part.lines.map((line) => `${line}\n`).join(''));
      continue;
    }
    const { output, code } = await shell(part.command, folder);
    if (part.silent) continue;
    const local = output.replaceAll(folder, '<dir>').replaceAll(server, '<server>');
    const lines = local
      .replaceAll(/\/tmp\/[\w.-]+/g, '<tmp>')
      .trimEnd()
      .split('\n');
    const printed = lines.map((line) => marked(line, normaliser)).join('\n') + (code === 0 ? '' : `\n[exit ${String(code)}]`);
    const expected = part.lines.join('\n').trimEnd();
    if (printed !== expected) differences.push({ command: part.command, expected, printed });
  }
  return differences;
}

async function shell(command: string, folder: string): Promise<{ readonly output: string; readonly code: number }> {
  const env = { PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`, HOME: folder, TZ: 'UTC' };
  const child = spawn('bash', ['-c', `(${command}\n) 2>&1`], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { output, code: child.exitCode ?? -1 };
}

function parse(session: string): readonly Part[] {
  const parts: Part[] = [];
  let open = false;
  for (const line of session.split('\n')) {
    const last = parts.at(-1);
    if (open && last !== undefined) {
      if (line === '>>>') open = false;
      else last.lines.push(line);
    } else if (line.startsWith('<<< ')) {
      parts.push({ kind: 'file', name: line.slice(4), lines: [] });
      open = true;
    } else if (line.startsWith('$- ')) parts.push({ kind: 'command', command: line.slice(3), silent: true, lines: [] });
    else if (line.startsWith('$ ')) parts.push({ kind: 'command', command: line.slice(2), silent: false, lines: [] });
    else if (last?.kind === 'command') last.lines.push(line);
  }
  return parts;
}

const UUID = /[0-9a-f]{8}-[0-9a-f-]{27}/;
/** Texts are marked only where they are long enough to hold what a mark stands for. */
const PADDING = ' '.repeat(40);
const AGE = /(^|\s{2,}|\t| over |\()(\d+[smhdy]){1,2}(?=\s{2,}|\)| ago| \(x)/g;

/** A printed line with marks for what differs from run to run; runs of spaces become two. */
function marked(line: string, normaliser: Normaliser): string {
  const named = /^\s*uid: |^UID:/.test(line) ? line.replace(UUID, '<uid>') : line;
  const versioned = named.replace(/((resourceVersion"?:|Resource Version:)\s*"?)\d+/, '$1<rv>');
  return normaliser
    .text(versioned + PADDING)
    .replaceAll(/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, '<time>')
    .replaceAll(/\t\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]* [+-]\d{4}/g, '\t<time>')
    .replaceAll(AGE, '$1<age>')
    .replaceAll(/(?<=\S) {2,}/g, '  ')
    .trimEnd();
}
