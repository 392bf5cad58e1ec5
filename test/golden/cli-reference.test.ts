/** docs/reference/cli.md lists the commands and flags that the program has. UPDATE_GOLDEN=1 writes them into it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command, Option } from 'commander';
import { type Actions, program } from '../../src/cmd/program.ts';

const FILE = join(import.meta.dirname, '../../docs/reference/cli.md');
const BLOCK = /(<!-- generated: commands -->\n)([^]*?)(<!-- end -->)/;

const nothing = async (): Promise<void> => undefined;
const actions: Actions = {
  up: nothing,
  apiserver: nothing,
  controller: nothing,
  nodeagent: nothing,
  driver: nothing,
  compact: nothing,
  get: nothing,
  apply: nothing,
  delete: nothing,
  logs: nothing,
};

/** Commands that do something or have flags, with the path that is typed. */
function described(command: Command, path: readonly string[]): readonly (readonly [string, Command])[] {
  const inner = command.commands.flatMap((each) => described(each, [...path, each.name()]));
  return inner.length === 0 || command.options.length > 0 ? [[path.join(' '), command], ...inner] : inner;
}

function sectionOf([path, command]: readonly [string, Command]): string {
  const rows = command.options.filter((option) => !option.hidden).map(rowOf);
  const usage = command.usage().replace('[options]', rows.length === 0 ? '' : '[flags]');
  const table = rows.length === 0 ? '' : `\n| flag | meaning | default |\n|---|---|---|\n${rows.join('')}`;
  return `## ${path}\n\n${capital(command.description())}.\n\n    ${`${path} ${usage}`.trim()}\n${table}`;
}

function rowOf(option: Option): string {
  const { flags, description, mandatory, argChoices } = option;
  const told = /^(.*) \(default: (.*)\)$/.exec(description);
  const choices = argChoices === undefined ? '' : `: ${argChoices.join(', ')}`;
  const usual = told?.[2] ?? usualOf(option);
  const cells = [code(flags), `${told?.[1] ?? description}${choices}`, mandatory ? 'required' : usual].map((cell) => cell.replaceAll('|', '\\|'));
  return `| ${cells.map((cell) => (cell.startsWith('`') ? cell : cell.replaceAll(/<[\w-]+>[\w/]*/g, code))).join(' | ')} |\n`;
}

/** A flag without a value is off until it is given. */
function usualOf({ defaultValue, defaultValueDescription, required, optional }: Option): string {
  if (defaultValue === undefined || !(required || optional)) return '';
  return defaultValueDescription ?? code(String(defaultValue));
}

function code(text: string): string {
  return `\`${text}\``;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

test('docs/reference/cli.md lists all commands and flags', () => {
  const generated = `\n${described(program(actions), ['dray']).map(sectionOf).join('\n')}\n`;
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(
      FILE,
      readFileSync(FILE, 'utf8').replace(BLOCK, (_all, head: string, _body, tail: string) => head + generated + tail),
    );
  }
  assert.equal(BLOCK.exec(readFileSync(FILE, 'utf8'))?.[2], generated);
});

test('every command and flag says what it is for', () => {
  for (const [path, command] of described(program(actions), ['dray'])) {
    assert.notEqual(command.description(), '', path);
    for (const option of command.options) assert.notEqual(option.description, '', `${path} ${option.flags}`);
  }
});
