/** docs/seeds.md is true: its counts, the tests that it names and the commands that it gives. UPDATE_GOLDEN=1 writes the counts into it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandsOf, PAGE, readPage, ROOT, type Row, rowsOf } from './seeds-page.ts';

const COUNTS = /^\*\*.* statements: .*\*\*$/m;

const isPending = ({ proofs }: Row): boolean => proofs[0]?.startsWith('pending') === true;

test('docs/seeds.md counts its statements right', () => {
  const rows = rowsOf(readPage());
  const pending = rows.filter(isPending).length;
  const counts = `**${String(rows.length)} statements: ${String(rows.length - pending)} proven, ${String(pending)} pending.**`;
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PAGE, readPage().replace(COUNTS, counts));
  assert.equal(COUNTS.exec(readPage())?.[0], counts);
  assert.equal(new Set(rows.map(({ statement }) => statement)).size, rows.length, 'a statement stands there twice');
});

test('each statement in docs/seeds.md names its article and has tests that exist, or says why it is pending', () => {
  for (const row of rowsOf(readPage())) {
    assert.match(row.statement, /^(?:(?:introduction|article|updates|capacity|summary)(?:, |: ))+\S/);
    if (isPending(row)) {
      assert.equal(row.proofs.length, 1, row.statement);
      assert.match(row.proofs[0] ?? '', /^pending: \S/);
    } else row.proofs.forEach(checkTest);
  }
});

/** A proof reads: path in backquotes, colon, title of the test. */
function checkTest(proof: string): void {
  const [, path, title] = /^`([^`]+\.test\.ts)`: (\S.*)$/.exec(proof) ?? [];
  assert.ok(path !== undefined && title !== undefined, `no test: ${proof}`);
  assert.ok(existsSync(join(ROOT, path)), `there is no ${path}`);
  const source = readFileSync(join(ROOT, path), 'utf8');
  assert.ok(
    ["'", '"', '`'].some((quote) => source.includes(`test(${quote}${title}${quote}`)),
    `${path} has no test called: ${title}`,
  );
}

test('the commands in docs/seeds.md can be run', () => {
  for (const command of commandsOf(readPage())) {
    const [program = '', ...args] = command.split(' ');
    if (program === 'kubectl') checkKubectl(args, command);
    else if (program === 'dray') checkDray(args, command);
    else checkNpmTest(command);
  }
});

/** Files and namespaces exist; test/conformance/seeds/commands.test.ts runs these commands. */
function checkKubectl(args: readonly string[], command: string): void {
  const file = args[args.indexOf('-f') + 1] ?? '';
  if (args.includes('-f')) assert.ok(existsSync(join(ROOT, file)), `there is no ${file}`);
  const namespace = args[args.indexOf('-n') + 1] ?? '';
  if (args.includes('-n')) assert.ok(exampleNamespaces().has(namespace), `${command}: no example has this namespace`);
}

function exampleNamespaces(): ReadonlySet<string> {
  const texts = readdirSync(join(ROOT, 'examples'))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(ROOT, 'examples', name), 'utf8'));
  return new Set(texts.flatMap((text) => [...text.matchAll(/^ {2}namespace: (\S+)$/gm)].map(([, namespace = '']) => namespace)));
}

function checkNpmTest(command: string): void {
  const part = /^npm test -- ([\w/-]+)$/.exec(command)?.[1];
  assert.ok(part !== undefined, `neither kubectl nor dray nor npm test: ${command}`);
  const files = globSync('{src,test}/**/*.test.ts', { cwd: ROOT });
  assert.ok(
    files.some((file) => file.includes(part)),
    `${command}: no test file matches`,
  );
}

function checkDray([name = '', ...args]: readonly string[], command: string): void {
  const help = helpOf(name);
  for (const flag of args.filter((arg) => arg.startsWith('--'))) {
    const long = flag.split('=')[0] ?? '';
    assert.match(help, new RegExp(`(?:^|[ ,])${long}\\b`, 'm'), `${command}: no flag ${long}`);
  }
}

const helps = new Map<string, string>();

/** What `dray NAME --help` prints. */
function helpOf(name: string): string {
  const known = helps.get(name);
  if (known !== undefined) return known;
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'src/cmd/main.ts'), name, '--help'], { encoding: 'utf8' });
  assert.equal(status, 0, `dray ${name} --help: ${stderr}`);
  helps.set(name, stdout);
  return stdout;
}
