/** The layer gate: dependency-cruiser with rules derived from layers.json: who may import whom, one door per layer, no circles. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cruise, type IForbiddenRuleType, type ICruiseResult } from 'dependency-cruiser';
import type { Gate } from './gate.ts';

/** One row of layers.json: rank, importable layers and npm packages (`*`: all), and whether the layer may touch Node. */
export interface Layer {
  readonly rank: number;
  readonly imports: readonly string[];
  readonly packages?: readonly string[];
  readonly node?: boolean;
}

/** The layer table of a checkout, by layer. */
export function readLayers(root: string): ReadonlyMap<string, Layer> {
  // The tidy gate checks the table's shape against the folders.
  return new Map(Object.entries(JSON.parse(readFileSync(join(root, 'layers.json'), 'utf8')) as Record<string, Layer>));
}

/** dependency-cruiser over src. */
export const layersGate: Gate = { name: 'layers', run: cruiseLayers };

async function cruiseLayers(root: string): Promise<readonly string[]> {
  const layers = readLayers(root);
  const before = process.cwd();
  process.chdir(root);
  try {
    const { output } = await cruise(
      ['src'],
      {
        ruleSet: { forbidden: [...layers].flatMap(([name, layer]) => rulesOf(name, layer, [...layers.keys()])).concat(CIRCLES) },
        validate: true,
        doNotFollow: { path: 'node_modules' },
        exclude: { path: '\\.test\\.ts$' },
        tsPreCompilationDeps: true,
        parser: 'swc',
      },
      { exportsFields: ['exports'], conditionNames: ['source', 'import', 'types', 'node', 'default'], extensions: ['.ts', '.js', '.json'] },
    );
    return violationsOf(output as ICruiseResult);
  } finally {
    process.chdir(before);
  }
}

const CIRCLES: IForbiddenRuleType = {
  name: 'no circles',
  severity: 'error',
  from: { path: '^src/' },
  to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
};

function rulesOf(name: string, layer: Layer, all: readonly string[]): IForbiddenRuleType[] {
  const from = { path: `^src/${name}/` };
  const allowed = layer.imports.includes('*') ? all : layer.imports;
  const refused = all.filter((other) => other !== name && !allowed.includes(other));
  const packages = layer.packages ?? [];
  const rules: IForbiddenRuleType[] = [
    {
      name: 'other layers only through their door',
      severity: 'error',
      from,
      to: { path: '^src/[^/]+/', pathNot: [`^src/${name}/`, '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'never the own door',
      severity: 'error',
      from: { path: `^src/${name}/.`, pathNot: `^src/${name}/index\\.ts$` },
      to: { path: `^src/${name}/index\\.ts$` },
    },
    { name: 'resolvable', severity: 'error', from, to: { couldNotResolve: true } },
  ];
  if (refused.length > 0) {
    rules.push({
      name: `${name} may import ${allowed.join(', ') || 'no layer'}`,
      severity: 'error',
      from,
      to: { path: refused.map((other) => `^src/${other}/`) },
    });
  }
  if (layer.node !== true) rules.push({ name: `${name} does not touch Node`, severity: 'error', from, to: { dependencyTypes: ['core'] } });
  if (!packages.includes('*')) {
    const pattern = packages.map((each) => `node_modules/${each}/`);
    rules.push({
      name: `${name} may use ${packages.join(', ') || 'no package'}`,
      severity: 'error',
      from,
      to: { path: 'node_modules/', ...(pattern.length > 0 ? { pathNot: pattern } : {}) },
    });
  }
  return rules;
}

function violationsOf(result: ICruiseResult): readonly string[] {
  // Without its parser dependency-cruiser sees nothing and is content: an empty cruise is a failure of the gate.
  if (result.summary.totalCruised === 0) return ['src: dependency-cruiser saw no module'];
  return result.summary.violations.filter(({ rule }) => rule.severity === 'error').map(({ from, to, rule }) => `${from} → ${to}: ${rule.name}`);
}
