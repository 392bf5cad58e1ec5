/** Every gate of the check is alive: it objects to a planted violation and is content without it. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { deadCodeGate, formatGate, lintGate, typesGate } from '../../tools/gates/commands.ts';
import { layersGate } from '../../tools/gates/layers.ts';
import { documentedGate, purityGate, sizeGate, styleGate } from '../../tools/gates/source-rules.ts';
import { tidyGate } from '../../tools/gates/tidy.ts';
import type { Gate } from '../../tools/gates/gate.ts';

const PROJECT = join(import.meta.dirname, '../..');
const CONFIGURATION = ['package.json', 'tsconfig.json', 'layers.json', 'knip.json', '.oxlintrc.json', '.oxfmtrc.json'];
/** A checkout in small that every gate is content with. */
const CLEAN: Readonly<Record<string, string>> = {
  'README.md': '# scratch\n',
  'src/base/index.ts': "/** The door of base. */\nexport { one } from './one.ts';\n",
  'src/base/one.ts': '/** One number. */\n\n/** The number one. */\nexport const one = 1;\n',
  'src/ports/index.ts': '/** The door of ports. */\n\n/** A number. */\nexport type X = number;\n',
  'src/cmd/main.ts': "/** The program. */\nimport { one } from '#base';\n\nconsole.log(one);\n",
};

interface Canary {
  readonly gate: Gate;
  readonly plants: string;
  readonly file: string;
  readonly text: string;
  readonly objection: RegExp;
}

const long = `/** Long. */\n\n/** Long. */\nexport function long(): void {\n${'  void 0;\n'.repeat(80)}}\n`;
const CANARIES: readonly Canary[] = [
  {
    gate: typesGate,
    plants: 'a string for a number',
    file: 'src/base/bad.ts',
    text: "/** Bad. */\n\n/** Bad. */\nexport const bad: number = 'x';\n",
    objection: /TS2322/,
  },
  {
    gate: lintGate,
    plants: 'a floating promise',
    file: 'src/cmd/bad.ts',
    text: '/** Bad. */\nasync function later(): Promise<void> {}\nlater();\n',
    objection: /floating/,
  },
  { gate: formatGate, plants: 'crooked spacing', file: 'src/base/bad.ts', text: '/** Bad. */\nexport const   bad=1\n', objection: /bad\.ts/ },
  {
    gate: layersGate,
    plants: 'an import of a layer above',
    file: 'src/base/bad.ts',
    text: "/** Bad. */\nimport type { X } from '#ports';\nexport type Y = X;\n",
    objection: /base may import no layer/,
  },
  {
    gate: layersGate,
    plants: 'an import past the door',
    file: 'src/cmd/bad.ts',
    text: "/** Bad. */\nimport { one } from '../base/one.ts';\nconsole.log(one);\n",
    objection: /door/,
  },
  {
    gate: layersGate,
    plants: 'an import of the own door',
    file: 'src/base/bad.ts',
    text: "/** Bad. */\nexport { one } from './index.ts';\n",
    objection: /own door/,
  },
  {
    gate: layersGate,
    plants: 'node: below platform',
    file: 'src/base/bad.ts',
    text: "/** Bad. */\nexport { join } from 'node:path';\n",
    objection: /does not touch Node/,
  },
  {
    gate: layersGate,
    plants: 'a package the layer may not use',
    file: 'src/base/bad.ts',
    text: "/** Bad. */\nexport { parse } from 'yaml';\n",
    objection: /may use no package/,
  },
  {
    gate: layersGate,
    plants: 'a circle',
    file: 'src/base/one.ts',
    text: "/** One. */\nimport { two } from './two.ts';\n\n/** One. */\nexport const one = (): unknown => two;\n",
    objection: /no circles/,
  },
  { gate: purityGate, plants: 'Date.now()', file: 'src/base/bad.ts', text: '/** Bad. */\nexport const bad = Date.now();\n', objection: /Date\.now/ },
  {
    gate: deadCodeGate,
    plants: 'a file nobody imports',
    file: 'src/base/dead.ts',
    text: '/** Dead. */\n\n/** Dead. */\nexport const dead = 1;\n',
    objection: /dead\.ts/,
  },
  {
    gate: documentedGate,
    plants: 'an undocumented export',
    file: 'src/base/bad.ts',
    text: '/** Bad. */\n\nexport const a = 1;\nexport const b = 2;\n',
    objection: /bad\.ts:4/,
  },
  { gate: sizeGate, plants: 'a function of 80 lines', file: 'src/base/bad.ts', text: long, objection: /function of 8\d lines/ },
  {
    gate: sizeGate,
    plants: 'five parameters',
    file: 'src/base/bad.ts',
    text: '/** Bad. */\nexport const f = (a: 1, b: 2, c: 3, d: 4, e: 5): void => void [a, b, c, d, e];\n',
    objection: /5 parameters/,
  },
  { gate: styleGate, plants: 'any', file: 'src/base/bad.ts', text: '/** Bad. */\nexport const bad: any = 1;\n', objection: /: any/ },
  { gate: styleGate, plants: 'a non-null assertion', file: 'src/base/bad.ts', text: '/** Bad. */\nexport const bad = [1][0]!;\n', objection: /non-null/ },
  { gate: styleGate, plants: 'a module without purpose', file: 'src/base/bad.ts', text: 'export const bad = 1;\n', objection: /first line/ },
  { gate: styleGate, plants: 'a folder of helpers', file: 'src/base/helpers.ts', text: '/** Bad. */\nexport const bad = 1;\n', objection: /says nothing/ },
  { gate: tidyGate, plants: 'a layer missing from the table', file: 'src/attic/index.ts', text: '/** Bad. */\n', objection: /not in layers\.json/ },
  { gate: tidyGate, plants: 'a leftover', file: 'src/base/one.ts.orig', text: '', objection: /leftover/ },
];

const made: string[] = [];
after(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

function scratch(extra: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'dray-gates-'));
  made.push(root);
  for (const file of CONFIGURATION) cpSync(join(PROJECT, file), join(root, file));
  symlinkSync(join(PROJECT, 'node_modules'), join(root, 'node_modules'));
  for (const [path, text] of Object.entries({ ...CLEAN, ...extra })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe('the gates of the check', () => {
  const gates = [...new Set(CANARIES.map((canary) => canary.gate))].filter((gate) => gate !== deadCodeGate);
  for (const gate of gates) {
    test(`${gate.name}: is content with a clean tree`, async () => assert.deepEqual(await gate.run(scratch({})), []));
  }
  for (const { gate, plants, file, text, objection } of CANARIES) {
    test(`${gate.name}: objects to ${plants}`, async () => {
      const two = { 'src/base/two.ts': "/** Two. */\nimport { one } from './one.ts';\n\n/** Two. */\nexport const two = one;\n" };
      const found = await gate.run(scratch({ ...(plants === 'a circle' ? two : {}), [file]: text }));
      assert.match(found.join('\n'), objection);
    });
  }
});
